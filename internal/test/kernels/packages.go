package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
)

// packages to download with apt-get: the beginning of the release, and the package
// that depends on the newest kernel of that release.
var packages = []struct{ release, name string }{
	{"6.1.", "linux-image-cloud-amd64"},
	{"6.12.", "linux-image-6.12-cloud-amd64"},
}

// findKernels returns the kernels to boot: those at the paths, or Debian's.
func findKernels(ctx context.Context, images []string) ([]kernel, error) {
	var kernels []kernel
	for _, path := range images {
		kernels = append(kernels, kernel{image: path})
	}
	if len(images) > 0 {
		return kernels, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		// In a service, HOME may not be set.
		cache = os.TempDir()
	}
	cache = filepath.Join(cache, fmt.Sprintf("caprun-kernels-%d", os.Getuid()))
	if err := os.MkdirAll(cache, 0o700); err != nil {
		return nil, err
	}
	for _, p := range packages {
		name, err := newest(ctx, p.name, p.release)
		if err != nil {
			return nil, err
		}
		image := filepath.Join(cache, name)
		if _, err := os.Stat(image); err != nil {
			if err := download(ctx, cache, name, image); err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
		}
		kernels = append(kernels, kernel{p.release, image})
	}
	return kernels, nil
}

// newest returns the kernel package of this release on which the package meta
// depends.
func newest(ctx context.Context, meta, release string) (string, error) {
	text, err := output(exec.CommandContext(ctx, "apt-cache", "show", "--no-all-versions", meta))
	if err != nil {
		return "", fmt.Errorf("%w; run apt-get update", err)
	}
	name := regexp.MustCompile(`linux-image-` + regexp.QuoteMeta(release) + `[a-z0-9.+-]*-cloud-amd64`).Find(text)
	if name == nil {
		return "", fmt.Errorf("the package %s does not depend on a kernel %s", meta, release)
	}
	return string(name), nil
}

// download writes the kernel of a package to the path image.
func download(ctx context.Context, cache, name, image string) error {
	dir, err := os.MkdirTemp(cache, "new-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	get := exec.CommandContext(ctx, "apt-get", "download", "-q", name)
	get.Dir = dir
	if _, err := output(get); err != nil {
		return err
	}
	archives, err := filepath.Glob(filepath.Join(dir, "*.deb"))
	if err != nil || len(archives) != 1 {
		return fmt.Errorf("apt-get downloaded %d packages, want 1", len(archives))
	}
	if _, err := output(exec.CommandContext(ctx, "dpkg", "-x", archives[0], filepath.Join(dir, "unpacked"))); err != nil {
		return err
	}
	found, err := filepath.Glob(filepath.Join(dir, "unpacked", "boot", "vmlinuz-*"))
	if err != nil || len(found) != 1 {
		return fmt.Errorf("the package has %d kernels, want 1", len(found))
	}
	return os.Rename(found[0], image)
}

// output runs a command. Its error includes the command's standard error.
func output(cmd *exec.Cmd) ([]byte, error) {
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("%s: %w\n%s", cmd, err, stderr.Bytes())
	}
	return stdout.Bytes(), nil
}
