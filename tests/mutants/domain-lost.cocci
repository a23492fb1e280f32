// SPDX-License-Identifier: GPL-2.0-only
// Keeps the superblock of a domain that could not be made.
//
// Fails: Slice/FaultyMount.*/4k_inline_disk_fsopen_first
// Kernel: 6.12-debug
@@
identifier sb, bdi;
@@
 erofs_share_new_sb(...)
 {
 	...
 	if (bdi) {
 		sb->s_bdi = bdi;
-		atomic_inc(&sb->s_active);
 	}
+	atomic_inc(&sb->s_active);
 	...
 }
