package main

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"

	"caprun/internal/revision"
	"caprun/internal/source"
	"caprun/platform"
)

// revisionFiles are the files of a revision beside a unit.
type revisionFiles struct {
	tree *revision.Tree
	dirs map[string][]revision.File // what was asked for, by the name
}

// files returns the files at or below a name. It asks git once for each name.
func (r *revisionFiles) files(name string) ([]revision.File, error) {
	name = filepath.ToSlash(name)
	if list, ok := r.dirs[name]; ok {
		return list, nil
	}
	list, err := r.tree.Files([]string{name})
	if err == nil {
		r.dirs[name] = list
	}
	return list, err
}

func (r *revisionFiles) List(dir string) ([]string, error) {
	list, err := r.files(dir)
	var names []string
	for _, f := range list {
		if path.Dir(f.Name) == filepath.ToSlash(dir) {
			names = append(names, path.Base(f.Name))
		}
	}
	return names, err
}

func (r *revisionFiles) Exists(name string) (bool, error) {
	_, ok, err := r.file(name)
	return ok, err
}

func (r *revisionFiles) Aliases(dir, unit string) ([]string, error) {
	list, err := r.files(dir)
	var names []string
	for _, f := range list {
		if !f.Link || path.Dir(f.Name) != filepath.ToSlash(dir) || !platform.IsUnit(f.Name) || platform.IsInstance(f.Name) {
			continue
		}
		if target, err := r.tree.Read(f); err == nil && source.IsAlias(dir, string(target), unit) {
			names = append(names, path.Base(f.Name))
		}
	}
	return names, err
}

// file returns the file with a name.
func (r *revisionFiles) file(name string) (f revision.File, ok bool, err error) {
	list, err := r.files(name)
	if err != nil || len(list) != 1 || list[0].Name != filepath.ToSlash(name) {
		return f, false, err
	}
	return list[0], true, nil
}

func (r *revisionFiles) IsMasked(name string) bool {
	f, ok, err := r.file(name)
	if err != nil || !ok || !f.Link {
		return false
	}
	target, err := r.tree.Read(f)
	return err == nil && string(target) == os.DevNull
}

func (r *revisionFiles) Read(name string) ([]byte, error) {
	f, ok, err := r.file(name)
	switch {
	case err != nil:
		return nil, err
	case !ok:
		return nil, fs.ErrNotExist
	}
	if f, err = r.tree.Follow(f); err != nil {
		return nil, err
	}
	return r.tree.Read(f)
}
