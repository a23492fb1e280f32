// SPDX-License-Identifier: GPL-2.0-only
// The domain id of the (deprecated) fscache mode is a secret as well: never show
// it, and wipe it before its memory is freed.  7.x has no such mode.
//
// Lands: super.c kfree_sensitive +2 if internal.h has struct erofs_domain and internal.h lacks struct erofs_fs_context
// Lands: super.c kfree_sensitive +3 if internal.h has struct erofs_fs_context
// Lands: super.c domain_id=%s -1 if internal.h has struct erofs_domain
// Lands: fscache.c kfree_sensitive +2 if internal.h has struct erofs_domain
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
