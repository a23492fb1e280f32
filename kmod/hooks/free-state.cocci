// SPDX-License-Identifier: GPL-2.0-only
// Leaves the domain when a superblock, or an fs context that never became one,
// is freed.
//
// Lands: super.c erofs_share_sb_free +1
@ sb_free @
identifier sbi;
@@
 erofs_sb_free(struct erofs_sb_info *sbi, ...)
 {
 	...
+	erofs_share_sb_free(&sbi->share);
 	kfree(sbi);
 }

@ depends on !sb_free @
identifier sbi;
@@
 erofs_kill_sb(...)
 {
 	<...
+	erofs_share_sb_free(&sbi->share);
 	kfree(sbi);
 	...>
 }
