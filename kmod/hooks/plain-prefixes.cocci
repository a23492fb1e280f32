// SPDX-License-Identifier: GPL-2.0-only
// Finds the table of attribute name prefixes, and in it the name of the
// fingerprints, where images of erofs-utils 1.9 have it.  7.x knows that itself;
// what 6.1 has is in long-prefixes.
//
// Lands: xattr.c erofs_share_plain_prefixes +1 if xattr.c has erofs_xattr_prefixes_init and internal.h lacks plain_xattr_pfx
@@
identifier sbi, sb;
statement S1, S2;
@@
 erofs_xattr_prefixes_init(struct super_block *sb)
 {
 	<...
-	if (sbi->packed_inode)
+	if (sbi->packed_inode && !erofs_share_plain_prefixes(sbi))
 		S1
 	else
 		S2
 	...>
 }
