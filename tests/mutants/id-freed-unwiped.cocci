// SPDX-License-Identifier: GPL-2.0-only
// Frees the text of a domain id as any other string, so that it stays in memory
// until somebody else needs the place.
//
// Fails: ram-search two images mounted
@@
symbol id;
@@
-	kfree_sensitive(id);
+	kfree(id);
