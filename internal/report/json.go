package report

import (
	"bytes"
	"io"

	"caprun/cap"
	"caprun/engine/cred"
	"caprun/internal/render"
)

// jsonReport is the JSON form of a report.
type jsonReport struct {
	Version      int              `json:"version"`
	Base         *string          `json:"base"` // null without a comparison
	Summary      Summary          `json:"summary"`
	Capabilities []jsonCapability `json:"capabilities"`
	Profiles     []jsonRow        `json:"profiles"` // ordered by power
}

// jsonCapability is a capability that a profile has, passes on or can gain.
type jsonCapability struct {
	Name     string `json:"name"`
	Group    string `json:"group"`
	Held     int    `json:"held"` // this and the next two: number of profiles
	Children int    `json:"children"`
	Later    int    `json:"later"`
}

// jsonRow is a row. The fields from User to Reachable are null or empty without a plan.
type jsonRow struct {
	Name           string        `json:"name"`
	File           *string       `json:"file"` // relative reference; null if there is none
	Description    string        `json:"description"`
	Power          string        `json:"power"`
	HasPlan        bool          `json:"has_plan"`
	Problem        *string       `json:"problem"`          // why the profile cannot be read
	User           *string       `json:"user"`             // "caller" if the profile declares none, "not declared" for another file
	GID            *string       `json:"gid"`              // likewise
	Groups         *string       `json:"groups"`           // likewise
	Launched       *string       `json:"launched_profile"` // with which the process, caprun, starts the program; null for another process
	CapsOfCaller   bool          `json:"caps_of_caller"`   // the profile declares no capability sets
	Held           []string      `json:"held"`
	AmountsToRoot  []string      `json:"amounts_to_root"` // of held
	Children       []string      `json:"children"`        // that ordinary programs get
	Later          []string      `json:"later"`           // not held, and reachable later
	NoNewPrivs     *bool         `json:"no_new_privs"`
	Securebits     []string      `json:"securebits"`
	Reachable      []string      `json:"reachable"`
	Errors         int           `json:"errors"` // these and the next three: numbers of findings
	Warnings       int           `json:"warnings"`
	Infos          int           `json:"infos"`
	Suppressed     int           `json:"suppressed"`
	Findings       []jsonFinding `json:"findings"`
	FindingsHidden int           `json:"findings_left_out"`
	Change         *jsonChange   `json:"change"` // null without a base
}

type jsonFinding struct {
	Severity   string  `json:"severity"`
	Rule       string  `json:"rule"`
	Message    string  `json:"message"`
	Line       *int    `json:"line"`       // null if unknown
	Link       *string `json:"link"`       // relative reference with the line
	Suppressed *string `json:"suppressed"` // the reason
}

type jsonChange struct {
	Kind   render.Kind `json:"kind"`
	Widens bool        `json:"widens"`
	Note   string      `json:"note"`
}

// JSON writes the report for programs. References are relative to a directory.
func (r *Report) JSON(w io.Writer, dir string) error {
	out := jsonReport{
		Version: render.FormatVersion, Base: optional(text(r.options.Base)), Summary: r.Summary(),
		Capabilities: r.jsonCapabilities(), Profiles: []jsonRow{},
	}
	for _, row := range r.Rows() {
		out.Profiles = append(out.Profiles, row.json(dir))
	}
	var b bytes.Buffer
	if err := render.JSON(&b, out); err != nil {
		return err
	}
	if b.Len() > MaxSize {
		return ErrTooLarge
	}
	_, err := w.Write(b.Bytes())
	return err
}

// jsonCapabilities returns every capability of a row, by group.
func (r *Report) jsonCapabilities() []jsonCapability {
	list := []jsonCapability{}
	count := func(n int, set func(*Row) cred.Caps) (count int) {
		for _, row := range r.rows {
			if set(row).Has(n) {
				count++
			}
		}
		return count
	}
	for _, g := range groups {
		for n := range cap.NamedCount {
			if !g.Caps.Has(n) {
				continue
			}
			c := jsonCapability{
				cap.Value(n).String(), g.Name,
				count(n, func(r *Row) cred.Caps { return r.Held }),
				count(n, func(r *Row) cred.Caps { return r.Children }),
				count(n, func(r *Row) cred.Caps { return r.Later }),
			}
			if c.Held+c.Children+c.Later > 0 {
				list = append(list, c)
			}
		}
	}
	return list
}

// json returns the JSON form of a row.
func (row *Row) json(dir string) jsonRow {
	j := jsonRow{
		Name: row.Name, File: optional(string(link(dir, row.file, 0))), Description: row.Description,
		Power: row.Power.String(), HasPlan: row.HasPlan, Problem: optional(row.Problem),
		User: optional(row.User), GID: optional(row.GID), Groups: optional(row.Groups), CapsOfCaller: row.CallerCaps,
		Held: row.Held.Names(), AmountsToRoot: row.RootEquivalent.Names(), Children: row.Children.Names(), Later: row.Later.Names(),
		Securebits: append([]string{}, row.Securebits.Names()...), Reachable: append([]string{}, row.Reachable...),
		Errors: row.Errors, Warnings: row.Warnings, Infos: row.Infos, Suppressed: row.SuppressedCount,
		Findings: []jsonFinding{}, FindingsHidden: row.More,
	}
	if row.HasPlan {
		j.NoNewPrivs = &row.NoNewPrivs
		j.Launched = optional(row.launches)
	}
	if row.Change != "" {
		j.Change = &jsonChange{row.Change, row.Change.Widens(), row.Note}
	}
	for _, f := range row.Findings {
		entry := jsonFinding{f.Severity.String(), f.Rule, f.Message, nil, optional(string(link(dir, f.file, f.line))), optional(f.Suppressed)}
		if f.line > 0 {
			entry.Line = &f.line
		}
		j.Findings = append(j.Findings, entry)
	}
	return j
}

// optional returns nil for an empty text.
func optional(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
