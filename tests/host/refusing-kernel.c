// SPDX-License-Identifier: GPL-2.0-only
/*
 * A kernel that refuses mounts in the way that a test asks for, to be preloaded
 * into mount.erofs-share: REFUSE_CALL is "fsopen", "create", "fsmount",
 * "move_mount" or the name of an option, REFUSE_ERRNO a number, and the file
 * REFUSE_LOG has what the fs context says. All other calls succeed and do nothing.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

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
	(void)fd;
	(void)value;
	(void)aux;
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
	(void)from;
	(void)from_path;
	(void)to;
	(void)to_path;
	(void)flags;
	return answer("move_mount", 0);
}
