/* cppcheck: jansson's loops in plain words, for a reader without its header. */
#define json_array_foreach(a, i, v)                                            \
	for (i = 0; (v = json_array_get(a, i)) != NULL; i++)
#define json_object_foreach(o, k, v)                                           \
	for (k = json_next_key(o); (v = json_next_value(o)) != NULL;           \
	     k = json_next_key(o))
