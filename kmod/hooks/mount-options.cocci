// SPDX-License-Identifier: GPL-2.0-only
// Puts our handling of inode_share and domain_id in front of the stock
// operations of a mount: options.c calls these for all the rest.
//
// Lands: super.c erofs_share_context_ops +1
@@
expression fc;
@@
-	fc->ops = &erofs_context_ops;
+	fc->ops = &erofs_share_context_ops;
