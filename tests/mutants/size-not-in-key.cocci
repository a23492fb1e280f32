// SPDX-License-Identifier: GPL-2.0-only
// Takes files of different size for the same when their fingerprints are equal.
//
// Fails: Fingerprint.EqualFingerprintsOfFilesOfDifferentSizeDoNotShare
@@
identifier have, want;
@@
 erofs_share_test_key(...)
 {
 	...
-	return have->size == want->size && have->len == want->len &&
+	return have->len == want->len &&
 		!memcmp(have->fingerprint, want->fingerprint, want->len);
 }

@@
identifier key, hash;
expression A, B, C, D;
@@
 erofs_share_iget(...)
 {
 	<...
-	iget5_locked(A, (unsigned long)(hash + key->size), B, C, D)
+	iget5_locked(A, (unsigned long)hash, B, C, D)
 	...>
 }
