package render

import (
	"bytes"
	"encoding/json"
	"io"

	"caprun/engine/cred"
	"caprun/internal/sanitize"
)

// FormatVersion is the version of every JSON object that caprun prints. It changes
// when a key is removed or changes its meaning, not when one is added.
const FormatVersion = 1

// jsonCred is the JSON form of credentials.
type jsonCred struct {
	UID         jsonIDs  `json:"uid"`
	GID         jsonIDs  `json:"gid"`
	Groups      []uint32 `json:"groups"`
	Effective   []string `json:"effective"`
	Permitted   []string `json:"permitted"`
	Inheritable []string `json:"inheritable"`
	Ambient     []string `json:"ambient"`
	Bounding    []string `json:"bounding"`
	Securebits  []string `json:"securebits"` // null if unknown
	NoNewPrivs  bool     `json:"no_new_privs"`
}

// jsonIDs are the four user IDs or group IDs.
type jsonIDs struct {
	Real       uint32 `json:"real"`
	Effective  uint32 `json:"effective"`
	Saved      uint32 `json:"saved"`
	Filesystem uint32 `json:"filesystem"`
}

func newJSONCred(c cred.Cred) jsonCred {
	return jsonCred{
		UID:         jsonIDs{c.UID, c.EUID, c.SUID, c.FSUID},
		GID:         jsonIDs{c.GID, c.EGID, c.SGID, c.FSGID},
		Groups:      append([]uint32{}, c.Groups...),
		Effective:   c.Effective.Names(),
		Permitted:   c.Permitted.Names(),
		Inheritable: c.Inheritable.Names(),
		Ambient:     c.Ambient.Names(),
		Bounding:    c.Bounding.Names(),
		Securebits:  append([]string{}, c.Securebits.Names()...),
		NoNewPrivs:  c.NoNewPrivs,
	}
}

// JSON prints one JSON object.
func JSON(w io.Writer, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := w.Write(sanitize.JSON(b.Bytes()))
	return err
}
