// SPDX-License-Identifier: GPL-2.0-only
// Shows inode_share in /proc/mounts.
//
// Lands: super.c erofs_share_show_options +1
@@
identifier seq, root, sbi;
@@
 erofs_show_options(struct seq_file *seq, struct dentry *root)
 {
 	struct erofs_sb_info *sbi = EROFS_SB(root->d_sb);
 	...
+	erofs_share_show_options(seq, &sbi->share);
 	return 0;
 }
