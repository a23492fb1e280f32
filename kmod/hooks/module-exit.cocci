// SPDX-License-Identifier: GPL-2.0-only
// Lets the last completion of a read return to the kernel's own code before the
// module goes: unmounting waits until the completion has counted the read, not
// until it has left.  On a preemptible kernel it may be preempted in between.
//
// Lands: super.c synchronize_rcu_tasks +1
@@ @@
 erofs_module_exit(...)
 {
 	...
+	synchronize_rcu_tasks();
 	rcu_barrier();
 	...
 }
