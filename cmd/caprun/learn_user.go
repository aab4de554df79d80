package main

import (
	"fmt"
	"slices"
	"strings"

	"caprun/learn"
)

// reportResult reports which profile is the result, for which user it is, and how to get
// another one.
func (p *learnPrinter) reportResult(r *learn.Report, written, printed bool) {
	name := "The profile"
	if r.Second != nil {
		name = profileName("The", r, r.Best())
	}
	if !p.options.json {
		p.reportUser(r, written || printed)
		p.offer(r)
	}
	switch {
	case written:
		p.line("%s is in %s.", name, p.options.out)
	case printed && r.Second != nil:
		p.line("%s follows on the standard output.", name)
	}
	if !p.options.json {
		p.reportOther(r)
	}
}

// profileName names the profile of a pass, such as "the profile of the start as uid 33".
func profileName(article string, r *learn.Report, pass *learn.Pass) string {
	uid := pass.Evidence.UID
	if pass == r.Second {
		uid = pass.Identity.UID // also if the pass has not begun
	}
	return fmt.Sprintf("%s profile of the start as uid %d", article, uid)
}

// reportUser reports that the user of the program is that of the caller, if the profile
// does not set one.
func (p *learnPrinter) reportUser(r *learn.Report, exists bool) {
	pass := r.Best()
	if base := pass.Base.Profile; !exists || base == nil || base.User != "" || base.UID != nil {
		return
	}
	text := fmt.Sprintf("The profile does not set a user: the program starts as the caller, here uid %d.", pass.Evidence.UID)
	if pass.Evidence.UID == 0 && r.Second == nil && r.Change == nil && !p.options.uid.auto {
		text += " To learn for another user, add -uid USER."
	}
	p.line("%s", text)
}

// offer prints the flag of a second pass, if the program changes to one user by itself, or
// why -uid auto had no effect.
func (p *learnPrinter) offer(r *learn.Report) {
	if r.Second != nil || r.First.State != learn.Confirmed {
		return
	}
	switch id := r.Change; {
	case id != nil:
		p.line("To learn what the program needs if it starts as uid %d, add -uid %d:%d, or -uid auto.", id.UID, id.UID, id.GID)
	case p.options.uid.auto:
		why, more := whyNoUser(&r.First)
		p.line("-uid auto: %s, so caprun did not learn a second time%s.", why, more)
	}
}

// whyNoUser returns why no user is known for a second pass, and what to do.
func whyNoUser(pass *learn.Pass) (why, more string) {
	const name = "; pass -uid UID:GID"
	var uids []string
	for _, id := range pass.Evidence.Identities {
		if uid := fmt.Sprint(id.UID); id.UID != pass.Evidence.UID && !slices.Contains(uids, uid) {
			uids = append(uids, uid)
		}
	}
	switch last := len(uids) - 1; {
	case last > 0:
		return "the program changes to uid " + strings.Join(uids[:last], ", ") + " and " + uids[last], name + " for one of them"
	case last == 0:
		return "the program changes to uid " + uids[0] + ", but the gid is unknown", "; pass -uid " + uids[0] + ":GID"
	case pass.Evidence.Reference.Lost > 0:
		return "events of the first run were lost, and the others show no change of the user", name
	case pass.Evidence.Untraced != "":
		return "caprun found no process of the first run with another user", name
	}
	return "the program never changes its user", ""
}

// reportOther reports how to get the profile that is not the result.
func (p *learnPrinter) reportOther(r *learn.Report) {
	if r.Second == nil {
		return
	}
	id, best := r.Second.Identity, r.Best()
	switch {
	case best == r.Second && r.First.State == learn.Confirmed:
		p.line("To get %s, leave out -uid.", profileName("the", r, &r.First))
	case best == &r.First && r.Second.State == learn.Confirmed:
		p.line("%s does not only grant less; to get it, pass -uid %d:%d.", profileName("The", r, r.Second), id.UID, id.GID)
	case best == &r.First && r.SecondError == nil:
		p.line("%s is not confirmed.", profileName("The", r, r.Second))
	}
}
