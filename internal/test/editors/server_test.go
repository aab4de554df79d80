package editors

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/textproto"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

// A server is a running language server: JSON-RPC over its standard streams, as the
// Language Server Protocol defines it.
type server struct {
	in     io.WriteCloser
	out    *bufio.Reader
	lastID int

	// diagnostics are the latest ones of each document.
	diagnostics map[string][]diagnostic
}

type diagnostic struct {
	Range    span   `json:"range"`
	Severity int    `json:"severity"`
	Message  string `json:"message"`
}

type span struct {
	Start, End position
}

type position struct {
	Line      int `json:"line"`
	Character int `json:"character"`
}

// message is a request, a notification, or a response.
type message struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id,omitempty"`
	Method  string          `json:"method,omitempty"`
	Params  any             `json:"params,omitempty"`
	Result  any             `json:"result,omitempty"`
}

// answer has the parts of the server's response that the tests use.
type answer struct {
	ID     json.RawMessage `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  json.RawMessage `json:"error"`
}

// settings are the editor's answers to the server's requests for settings: all
// defaults, but nothing from the network.
var settings = map[string]any{
	"yaml": map[string]any{
		"validate": true, "hover": true, "completion": true,
		"schemaStore": map[string]any{"enable": false},
	},
}

// start installs the pinned server and runs it until the end of the test.
func start(t *testing.T) *server {
	t.Helper()
	modules := install(t)
	// The context of the test ends before its clean-up, which still uses the server.
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, "node", filepath.Join(modules, "yaml-language-server", "bin", "yaml-language-server"), "--stdio")
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	s := &server{in: in, out: bufio.NewReader(out), diagnostics: map[string][]diagnostic{}}
	t.Cleanup(func() {
		if err := s.request("shutdown", nil, nil); err != nil {
			t.Error(err)
		}
		if err := errors.Join(s.notify("exit", nil), cmd.Wait()); err != nil {
			t.Error(err)
		}
	})
	return s
}

// install returns the directory of the server's packages, at the versions of the lock
// file. With CAPRUN_TEST_STRICT it is a failure if they are missing.
func install(t *testing.T) string {
	t.Helper()
	for _, tool := range []string{"node", "npm"} {
		if _, err := exec.LookPath(tool); err != nil {
			if os.Getenv("CAPRUN_TEST_STRICT") == "1" {
				t.Fatal(err)
			}
			t.Skip(err)
		}
	}
	dir := t.TempDir()
	for _, name := range []string{"package.json", "package-lock.json"} {
		text, err := os.ReadFile(name)
		if err == nil {
			err = os.WriteFile(filepath.Join(dir, name), text, 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	npm := exec.CommandContext(t.Context(), "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	npm.Dir = dir
	if out, err := npm.CombinedOutput(); err != nil {
		t.Fatalf("npm ci: %v\n%s", err, out)
	}
	return filepath.Join(dir, "node_modules")
}

func (s *server) send(m message) error {
	m.Version = "2.0"
	text, err := json.Marshal(m)
	if err == nil {
		_, err = fmt.Fprintf(s.in, "Content-Length: %d\r\n\r\n%s", len(text), text)
	}
	return err
}

func (s *server) notify(method string, params any) error {
	return s.send(message{Method: method, Params: params})
}

// request sends a request, and answers the server's requests until the response.
func (s *server) request(method string, params, result any) error {
	s.lastID++
	id := json.RawMessage(strconv.Itoa(s.lastID))
	if err := s.send(message{ID: id, Method: method, Params: params}); err != nil {
		return err
	}
	for {
		a, err := s.receive()
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", method, err)
		case a.Method != "" || string(a.ID) != string(id):
			continue
		case a.Error != nil:
			return fmt.Errorf("%s: %s", method, a.Error)
		case result == nil:
			return nil
		}
		return json.Unmarshal(a.Result, result)
	}
}

// receive handles one message, as an editor would.
func (s *server) receive() (answer, error) {
	var a answer
	header, err := textproto.NewReader(s.out).ReadMIMEHeader()
	if err != nil {
		return a, err
	}
	length, err := strconv.Atoi(header.Get("Content-Length"))
	if err != nil || length > 64<<20 {
		return a, fmt.Errorf("a message of length %q", header.Get("Content-Length"))
	}
	text := make([]byte, length)
	if _, err := io.ReadFull(s.out, text); err != nil {
		return a, err
	}
	if err := json.Unmarshal(text, &a); err != nil {
		return a, err
	}
	switch {
	case a.Method == "textDocument/publishDiagnostics":
		var found struct {
			URI         string       `json:"uri"`
			Diagnostics []diagnostic `json:"diagnostics"`
		}
		err = json.Unmarshal(a.Params, &found)
		s.diagnostics[found.URI] = found.Diagnostics
	case a.Method == "workspace/configuration":
		var asked struct {
			Items []struct{ Section string }
		}
		if err = json.Unmarshal(a.Params, &asked); err == nil {
			values := []any{}
			for _, item := range asked.Items {
				values = append(values, settings[item.Section])
			}
			err = s.send(message{ID: a.ID, Result: values})
		}
	case a.Method != "" && a.ID != nil:
		err = s.send(message{ID: a.ID, Result: []any{}})
	}
	return a, err
}

// open opens a document and waits until the server has checked it.
func (s *server) open(uri, text string) ([]diagnostic, error) {
	err := s.notify("textDocument/didOpen", map[string]any{
		"textDocument": map[string]any{"uri": uri, "languageId": "yaml", "version": 1, "text": text},
	})
	for err == nil {
		if found, ok := s.diagnostics[uri]; ok {
			return found, nil
		}
		_, err = s.receive()
	}
	return nil, err
}
