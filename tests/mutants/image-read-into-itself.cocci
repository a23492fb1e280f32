// SPDX-License-Identifier: GPL-2.0-only
// Lets an image be read through a shared mapping that it is read into.
//
// Fails: ClaimedFile.ThatItsOwnImageLiesInCanBeRead
@@
expression E;
@@
 erofs_share_take_role(...)
 {
 	...
-	return E;
+	return true;
 }
