// SPDX-License-Identifier: GPL-2.0-only
// Forgets to free a domain when its last member has gone.
//
// Fails: SoakTest.HundredsOfMountsLeaveNothingBehindAndTheModuleUnloads
@@
identifier domain;
@@
 erofs_share_domain_leave(...)
 {
 	...
-	kfree_sensitive(domain);
 }
