// Package secureexec refuses to run caprun in secure-execution mode, ld.so(8). The
// kernel sets that mode for an executable that is set-user-ID or set-group-ID or has
// file capabilities, and for a caller whose real and effective IDs differ. Such a process
// cannot trust its caller. The command calls Check before it opens any file.
package secureexec
