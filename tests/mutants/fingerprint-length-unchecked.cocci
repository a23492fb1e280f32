// SPDX-License-Identifier: GPL-2.0-only
// Takes a fingerprint as long as the image says, into a buffer of 256 bytes.
//
// Fails: Fingerprint.FileWithAFingerprintOf257BytesIsNotShared
@@
@@
 erofs_share_read_fingerprint(...)
 {
 	<...
-	EROFS_SHARE_FINGERPRINT_MAX
+	65536
 	...>
 }
