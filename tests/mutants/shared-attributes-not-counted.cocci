// SPDX-License-Identifier: GPL-2.0-only
// Looks no further than the inline attributes where these have a fingerprint.
//
// Fails: Cases/FingerprintRule.*/two_inline_and_shared
@@
expression E;
identifier found;
@@
 erofs_share_look_at_all(...)
 {
 	...
+	if (found->len)
+		return 0;
 	return erofs_share_look_at_shared(..., found);
 }
