// SPDX-License-Identifier: GPL-2.0-only
// Attaches whatever a file handle names.
//
// Fails: CraftedImage.HandleThatNamesContentsAttachesNothing
@@
expression E;
@@
 erofs_share_attach(...)
 {
 	<...
-	if (E)
 		shared = erofs_share_get_shared(...);
 	...>
 }
