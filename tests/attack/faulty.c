/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands in the place of a worker's program and starts it with faults.so and
 * with the fault that is meant for its role: "CALL N" in the file fault.NUMBER
 * beside it, which is used once.  The program is in the directory "real" there.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

int
main(int argc, char *argv[])
{
	char dir[1024], path[1100], preload[1100], fault[64], call[32] = "";
	char *env[] = { preload, fault, NULL };
	char *slash;
	FILE *f;

	snprintf(dir, sizeof(dir), "%s", (const char *)getauxval(AT_EXECFN));
	slash = strrchr(dir, '/');
	if (argc < 2 || slash == NULL)
		return 2;
	*slash = '\0';
	snprintf(preload, sizeof(preload), "LD_PRELOAD=%s/faults.so", dir);
	snprintf(path, sizeof(path), "%s/fault.%s", dir, argv[1]);
	f = fopen(path, "re");
	if (f != NULL) {
		(void)!fgets(call, sizeof(call), f);
		fclose(f);
		unlink(path);
	}
	snprintf(fault, sizeof(fault), "FX_FAULT=%s %s", argv[1], call);
	snprintf(path, sizeof(path), "%s/real/%s", dir, slash + 1);
	execve(path, argv, env);
	perror(path);
	return 127;
}
