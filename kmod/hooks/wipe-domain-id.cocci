// SPDX-License-Identifier: GPL-2.0-only
// The domain id of the (deprecated) fscache mode is a secret as well: never show
// it, and wipe it before its memory is freed.
//
// Lands: super.c kfree_sensitive +2
// Lands: super.c domain_id=%s -1
// Lands: fscache.c kfree_sensitive +2
@@
expression E;
@@
-	kfree(E->domain_id);
+	kfree_sensitive(E->domain_id);

@@
expression E, seq;
@@
-	if (E->domain_id)
-		seq_printf(seq, ..., E->domain_id);
