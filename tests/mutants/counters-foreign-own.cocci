// SPDX-License-Identifier: GPL-2.0-only
// Takes a mount's own reads for those of others.
//
// Fails: Counters.PagesThatA*Foreign
@@
identifier resident, own;
@@
 erofs_share_foreign(...)
 {
 	...
-	return resident - own;
+	return own;
 }
