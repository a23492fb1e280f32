// SPDX-License-Identifier: GPL-2.0-only
// Removes a mount's counters from sysfs while all that they look at is there.
//
// Lands: super.c erofs_share_remove_counters +1
@@
identifier sb;
@@
 erofs_put_super(struct super_block *sb)
 {
 	...
+	erofs_share_remove_counters(sb);
 	erofs_unregister_sysfs(sb);
 	...
 }
