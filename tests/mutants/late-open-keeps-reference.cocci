// SPDX-License-Identifier: GPL-2.0-only
// Keeps the reference on the shared inode of an open that came too late to attach
// the file.
//
// Fails: OpenRace.FirstOpensThroughSixteenImagesYieldOneSharedInode
@@
identifier shared;
@@
 erofs_share_attach(...)
 {
 	...
 	if (cmpxchg(...) != ...) {
 		...
-		iput(shared);
 	}
 }
