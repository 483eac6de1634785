/* ipc_undef: forget the meanings a product gave to the table's macros. */
#undef IPC_U64
#undef IPC_I64
#undef IPC_BOOL
#undef IPC_STR
#undef IPC_BYTES
#undef IPC_FD
#undef IPC_LIST
#undef IPC_RECORD
#undef IPC_MSG
