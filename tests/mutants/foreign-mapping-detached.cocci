// SPDX-License-Identifier: GPL-2.0-only
// Takes any redirected mapping for one of ours.
//
// Fails: DeviceNode/ForeignMapping.OfADeviceNodeIsLeftAlone/plain_tmpfs_unmounted
@@
identifier inode, mapping;
@@
 erofs_share_attached(...)
 {
 	...
-	if (!S_ISREG(inode->i_mode))
-		return false;
 	mapping = READ_ONCE(inode->i_mapping);
-	return mapping != &inode->i_data && mapping->a_ops == &erofs_share_aops;
+	return mapping != &inode->i_data;
 }
