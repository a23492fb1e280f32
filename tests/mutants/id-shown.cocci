// SPDX-License-Identifier: GPL-2.0-only
// Keeps a copy of the domain id and shows it among a mount's options.
//
// Fails: Secrecy.ProcMounts*:Secrecy.Mountinfo*:Secrecy.Statmount*
@@ @@
 #include "compat.h"
+
+static char shown_id[256];

@@
symbol share, id;
@@
 	erofs_share_digest_id(&share->id, id);
+	strscpy(shown_id, id, sizeof(shown_id));

@@
symbol share, seq;
@@
-		seq_puts(seq, ",inode_share");
+		seq_printf(seq, ",inode_share,domain_id=%s", shown_id);
