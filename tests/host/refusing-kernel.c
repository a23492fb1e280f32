// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel that refuses mounts in the way that a test asks for, to be preloaded
 * into mount.erofs-share: REFUSE_CALL is "fsopen", "create", "fsmount",
 * "move_mount" or the name of an option, REFUSE_ERRNO a number, and the file
 * REFUSE_LOG has what the fs context says. All other calls succeed and do nothing.
 * The shell runs REFUSE_MEANWHILE when the superblock is made; the file REFUSE_TARGET
 * gets what would be mounted on.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CMD_CREATE 6

static int answer(const char *call, int result)
{
	const char *refused = getenv("REFUSE_CALL");

	if (!refused || !call || strcmp(refused, call))
		return result;
	errno = atoi(getenv("REFUSE_ERRNO"));
	return -1;
}

static int some_file(const char *call)
{
	const char *log = getenv("REFUSE_LOG");
	int fd;

	if (answer(call, 0))
		return -1;
	fd = open(log ? log : "/dev/null", O_RDONLY | O_CLOEXEC);
	/* what is printed would go there */
	if (fd >= 0 && fd <= 2)
		abort();
	return fd;
}

int fsopen(const char *type, unsigned int flags)
{
	(void)type;
	(void)flags;
	return some_file("fsopen");
}

int fsconfig(int fd, unsigned int command, const char *key, const void *value, int aux)
{
	const char *meanwhile = getenv("REFUSE_MEANWHILE");

	(void)fd;
	(void)value;
	(void)aux;
	if (command == CMD_CREATE && meanwhile && system(meanwhile))
		abort();
	return answer(command == CMD_CREATE ? "create" : key, 0);
}

int fsmount(int fd, unsigned int flags, unsigned int attributes)
{
	(void)fd;
	(void)flags;
	(void)attributes;
	return some_file("fsmount");
}

int move_mount(int from, const char *from_path, int to, const char *to_path, unsigned int flags)
{
	const char *where = getenv("REFUSE_TARGET");
	char link[64], target[PATH_MAX] = "";

	(void)from;
	(void)from_path;
	(void)flags;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", to);
	/* by path: wherever that leads now */
	if (*to_path ? !realpath(to_path, target)
		     : readlink(link, target, sizeof(target) - 1) < 0)
		abort();
	if (where) {
		FILE *out = fopen(where, "w");

		if (!out || fprintf(out, "%s\n", target) < 0 || fclose(out))
			abort();
	}
	return answer("move_mount", 0);
}
