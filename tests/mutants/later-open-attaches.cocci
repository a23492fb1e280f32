// SPDX-License-Identifier: GPL-2.0-only
// Forgets that an inode was opened without being attached.
//
// Fails: Layouts/FailedAttach.LeavesTheFileUnsharedUntilItsInodeIsEvicted/*
@@
@@
 erofs_share_attach(...)
 {
 	<...
-	set_bit(EROFS_I_UNSHARED_BIT, ...);
+	;
 	...>
 }
