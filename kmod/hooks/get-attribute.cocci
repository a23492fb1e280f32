// SPDX-License-Identifier: GPL-2.0-only
// Lets fingerprint.c get an attribute where the stock function is static.
//
// Lands: xattr.c static -1 if xattr.c has static int erofs_getxattr(struct inode
@@
identifier inode, index, name, buffer, size;
@@
-static
 int erofs_getxattr(struct inode *inode, int index, const char *name,
 		   void *buffer, size_t size)
 {
 	...
 }
