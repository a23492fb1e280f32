/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place with kernel version checks.  The rest of kmod/ is written
 * against the newest kernel's interfaces; what an older kernel names or does
 * differently is made to look like that here.
 */
#ifndef __EROFS_SHARE_COMPAT_H
#define __EROFS_SHARE_COMPAT_H

#include <linux/version.h>
#include "internal.h"

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 5, 0)
#include <linux/cleanup.h>
#endif

/* 6.5: <linux/cleanup.h> */
#ifndef no_free_ptr
#define no_free_ptr(p) ({		\
	__auto_type __taken = (p);	\
	(p) = NULL;			\
	__taken;			\
})
#endif

#endif
