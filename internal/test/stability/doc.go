// Package stability tests that profiles keep their meaning: what a release accepts with
// version: 1, and what a launch with it does, must not change later.
//
// testdata/profiles.history has the profiles, as an archive of package txtar. They come
// from the history of the repository, which the tests do not read.
// testdata/meaning.golden has what each of them means, and testdata/refused.txt those that
// have no meaning. testdata/changes.txt lists the changes of meaning before release 0.1.0.
package stability
