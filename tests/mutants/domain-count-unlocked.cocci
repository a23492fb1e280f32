// SPDX-License-Identifier: GPL-2.0-only
// Lets go of the lock between the last member's leaving and the end of its domain:
// a mount that comes now still finds the domain. The pause is that of a task which
// is preempted there.
//
// Fails: MountRace.LastUnmountAgainstFirstMountOfTheSameDomain
@@ @@
 #include "compat.h"
+#include <linux/delay.h>

@@
identifier last, domain;
symbol erofs_domains_lock;
@@
 erofs_share_domain_leave(...)
 {
 	...
 	last = list_empty(&domain->members);
+	mutex_unlock(&erofs_domains_lock);
+	usleep_range(500, 1000);
+	mutex_lock(&erofs_domains_lock);
 	...
 }
