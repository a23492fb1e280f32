/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The only place with kernel version checks.  The rest of kmod/ is written
 * against the newest kernel's interfaces; what an older kernel names or does
 * differently is made to look like that here.
 */
#ifndef __EROFS_SHARE_COMPAT_H
#define __EROFS_SHARE_COMPAT_H

#include "internal.h"

/* 6.5: <linux/cleanup.h>, which <linux/slab.h> includes */
#ifndef no_free_ptr
#define no_free_ptr(p) ({			\
	__auto_type __slot = &(p);		\
	__auto_type __taken = *__slot;		\
	*__slot = NULL;				\
	__taken;				\
})
#endif

#endif
