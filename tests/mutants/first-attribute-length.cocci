// SPDX-License-Identifier: GPL-2.0-only
// Takes a fingerprint that is the first attribute as long as the image says.
//
// Fails: Fingerprint.FileWithAFingerprintOf257BytesIsNotShared
@@
expression A, B, C, D;
@@
 erofs_share_first_attribute(...)
 {
 	<...
-	if (A || B || C || D)
+	if (A || B || D)
 		goto out;
 	...>
 }
