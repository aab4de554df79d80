// Package observe records which capabilities the kernel checks for a process tree.
package observe
