// SPDX-License-Identifier: GPL-2.0-only
// Takes a fingerprint as long as the image says, into a buffer of 256 bytes.
//
// Fails: Fingerprint.FileWithAFingerprintOf257BytesIsNotShared
@@
expression A, B;
identifier len;
@@
 erofs_share_look_at(...)
 {
 	<...
-	if (A || B || len > EROFS_SHARE_FINGERPRINT_MAX)
+	if (A || B)
 		return -ENODATA;
 	...>
 }

@@
expression A, B, C, D;
identifier len;
@@
 erofs_share_only_attribute(...)
 {
 	<...
-	A && B && C && len <= EROFS_SHARE_FINGERPRINT_MAX && D
+	A && B && C && D
 	...>
 }
