// Package debian fetches packages from a Debian mirror and unpacks them into a
// directory, without installing anything and without needing root.
//
// Input are apt's source lists, which name the mirror, and the mirror's files;
// output are directory trees. The chain of trust is Debian's own: gpgv checks
// InRelease against the archive keyring, InRelease holds the SHA256 of the
// Packages index, the index that of every package. Nothing is used before its
// fingerprint has been checked; there is no way to turn the check off.
//
// The formats are described in the Debian policy manual, chapter 5, and in the
// manual pages sources.list(5) and deb-version(7).
package debian
