// SPDX-License-Identifier: GPL-2.0-only
// Finds the table of attribute name prefixes, and in it the name of the
// fingerprints, where images of erofs-utils 1.9 have it.
//
// Lands: xattr.c erofs_share_plain_prefixes +1
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
