// SPDX-License-Identifier: GPL-2.0-only
// Lets reads into shared folios end before what they use is torn down.
//
// Lands: super.c erofs_share_wait_reads +1
@@
identifier sb;
@@
 erofs_put_super(struct super_block *sb)
 {
 	...
+	erofs_share_wait_reads(sb);
 	erofs_unregister_sysfs(sb);
 	...
 }
