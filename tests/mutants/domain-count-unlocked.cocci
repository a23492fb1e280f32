// SPDX-License-Identifier: GPL-2.0-only
// Lets the last member of a domain go before the lock is taken: a mount that
// comes now still finds the domain. The pause is that of a task which is
// preempted there.
//
// Fails: MountRace.LastUnmountAgainstFirstMountOfTheSameDomain
@@ @@
 #include "compat.h"
+#include <linux/delay.h>

@@
identifier domain;
symbol erofs_domains_lock;
@@
 erofs_share_domain_leave(...)
 {
-	if (!refcount_dec_and_mutex_lock(&domain->members,
-					 &erofs_domains_lock))
+	if (!refcount_dec_and_test(&domain->members))
 		return;
+	usleep_range(500, 1000);
+	mutex_lock(&erofs_domains_lock);
 	...
 }
