// SPDX-License-Identifier: GPL-2.0-only
// Says which domain a mount asks for: in a debug message, in the trace and in the
// audit log.
//
// Fails: Secrecy.KernelLogShowsNoDomainIdAtAnyLevelWithDynamicDebug:SecrecyTrace.*:Secrecy.Audit*
@@ @@
 #include "compat.h"
+#include <linux/audit.h>

@@
symbol share, id;
@@
 	erofs_share_digest_id(&share->id, id);
+	pr_debug("erofs: domain %s\n", id);
+	trace_printk("domain %s\n", id);
+	audit_log(audit_context(), GFP_KERNEL, AUDIT_KERNEL, "domain %s", id);
