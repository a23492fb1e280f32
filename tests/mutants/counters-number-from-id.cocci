// SPDX-License-Identifier: GPL-2.0-only
// Names a domain in sysfs by a digest of its id.
//
// Fails: Counters.NumberOfADomainIsNotDerivedFromItsId:Counters.DomainsAreNumberedAsTheyAreMade
@@
identifier domain, id;
@@
 erofs_share_new_domain(...)
 {
 	<...
 	domain->id = *id;
+	domain->counts.number = id->word[0];
 	...>
 }
