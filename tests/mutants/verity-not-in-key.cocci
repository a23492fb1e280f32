// SPDX-License-Identifier: GPL-2.0-only
// Lets images with fs-verity share with all others of their domain.
//
// Fails: FsVerity.ProtectedImageDoesNotShareWithAPlainOne:Order/CorruptedMember.DoesNotReachProtectedReaders/*
@@
expression A, B;
@@
 erofs_share_get_domain(...)
 {
 	<...
-	if (A == B && erofs_share_digest_equal(...))
+	if (erofs_share_digest_equal(&domain->id, id))
 		return domain;
 	...>
 }
