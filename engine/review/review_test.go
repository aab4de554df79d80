package review

import (
	"regexp"
	"slices"
	"strings"
	"testing"

	"caprun/engine"
	"caprun/policy"
	"caprun/profiles"
)

// TestRisks checks which rules report a profile, and at which position.
func TestRisks(t *testing.T) {
	const (
		user  = "version: 1\nuid: 33\ngid: 33\nno_new_privs: true\n"
		safe  = "version: 1\nuid: 33\ngid: 33\ncaps: \"=\"\nno_new_privs: true\n"
		zero  = "version: 1\nuid: 0\ngid: 0\nno_new_privs: true\n"
		quiet = "env: {keep: []}\n"
		bind  = "cap_net_bind_service"
	)
	for name, c := range map[string]struct {
		text string
		want []string // rule:line:column
	}{
		"safe": {safe, nil},

		// User and groups.
		"nothing":               {"version: 1\n", []string{"nothing-declared:1:10", "root-keeps-power:1:10"}},
		"another user":          {"version: 1\nuid: 33\ngid: 33\n", []string{"no-new-privs-missing:1:10", "nothing-declared:1:10"}},
		"uid 0, everything":     {"version: 1\nuid: 0\ngid: 0\ncaps: =ep\n", []string{"root-keeps-power:2:6"}},
		"uid 0, all, nnp":       {"version: 1\nuid: 0\ngid: 0\ncaps: all=ep\nno_new_privs: true\n", []string{"root-keeps-power:2:6"}},
		"uid 0, HYBRID":         {"version: 1\nuid: 0\ngid: 0\nmode: HYBRID\n", []string{"root-keeps-power:2:6"}},
		"uid 0 by iab":          {"version: 1\nuid: 0\ngid: 0\niab: ''\n", []string{"root-keeps-power:2:6"}},
		"uid 0, PURE1E":         {"version: 1\nuid: 0\ngid: 0\nmode: PURE1E\nno_new_privs: true\n", []string{"root-owns-files:2:6"}},
		"uid 0, limited":        {zero + "caps: " + bind + "=ep\n", []string{"root-owns-files:2:6"}},
		"uid 0, limited, exec":  {"version: 1\nuid: 0\ngid: 0\ncaps: " + bind + "=ep\n", []string{"no-new-privs-missing:1:10", "noroot-missing:2:6"}},
		"user root, limited":    {"version: 1\nuser: root\ncaps: " + bind + "=ep\n", []string{"no-new-privs-missing:1:10", "noroot-missing:2:7"}},
		"started by root":       {"version: 1\ncaps: " + bind + "=ep\n", []string{"no-new-privs-missing:1:10", "noroot-missing:1:10"}},
		"uid 0, noroot":         {zero + "caps: " + bind + "=eip\nsecbits: [noroot]\n", []string{"root-owns-files:2:6"}},
		"uid 0, nothing":        {zero + "caps: \"=\"\n", []string{"root-owns-files:2:6"}},
		"uid 0, almost all":     {zero + "caps: =ep cap_kill-ep\nenv: {keep: []}\n", []string{"amounts-to-root:5:7"}},
		"root's group":          {"version: 1\nuid: 33\ngid: 0\ncaps: \"=\"\nno_new_privs: true\n", []string{"root-group:3:6"}},
		"root's group besides":  {safe + "groups: [33, 0]\n", []string{"root-group:6:14"}},
		"root's group twice":    {"version: 1\nuid: 33\ngid: 0\ngroups: [0]\ncaps: \"=\"\nno_new_privs: true\n", []string{"root-group:3:6"}},
		"root's group, by name": {"version: 1\nuid: 33\ngid: root\ngroups: [0]\ncaps: \"=\"\nno_new_privs: true\n", []string{"root-group:3:6"}},
		"groups, by name":       {"version: 1\nuid: 33\ngid: docker\ngroups: [disk, adm, shadow, lxd]\ncaps: \"=\"\nno_new_privs: true\n", []string{"root-group:3:6", "root-group:4:10", "root-group:4:21", "root-group:4:29"}},
		"ordinary groups":       {"version: 1\nuid: 33\ngid: www-data\ngroups: [adm, Docker]\ncaps: \"=\"\nno_new_privs: true\n", nil},
		"root's group, user":    {"version: 1\nuser: www-data\ngroups: [0]\ncaps: \"=\"\nno_new_privs: true\n", []string{"root-group:3:10"}},
		"user, no groups":       {"version: 1\nuser: www-data\ncaps: \"=\"\nno_new_privs: true\n", nil},
		"root in its own group": {zero + "groups: [0]\ncaps: \"=\"\n", []string{"root-owns-files:2:6"}},

		// Capabilities.
		"wide":                   {"version: 1\nuid: 33\ngid: 33\niab: ^" + bind + "\n", []string{"no-new-privs-missing:1:10", "bounding-wider:4:6"}},
		"wide, nnp":              {"version: 1\nuid: 33\ngid: 33\niab: ^" + bind + "\nno_new_privs: true\n", nil},
		"unreachable":            {"version: 1\nuid: 33\ngid: 33\ncaps: cap_kill=ep\n", []string{"unreachable-caps:4:7"}},
		"inheritable":            {user + "caps: cap_kill=i\n", []string{"inheritable-not-ambient:5:7"}},
		"inheritable, one":       {user + "caps: " + bind + "=eip cap_kill+i\n", []string{"inheritable-not-ambient:5:32"}},
		"inheritable, two":       {user + "caps: " + bind + "=eip cap_kill,cap_chown+i\n", []string{"inheritable-not-ambient:5:7"}},
		"inheritable by iab":     {user + "iab: ^" + bind + ",%cap_kill\n", []string{"inheritable-not-ambient:5:29"}},
		"inheritable, no mark":   {user + "iab: cap_kill\n", []string{"inheritable-not-ambient:5:6"}},
		"inheritable for uid 0":  {zero + "caps: " + bind + "=eip\n", []string{"root-owns-files:2:6"}},
		"inheritable, noroot":    {"version: 1\nuid: 0\ngid: 0\ncaps: " + bind + "=eip\n", []string{"no-new-privs-missing:1:10", "noroot-missing:2:6"}},
		"inheritable, all power": {"version: 1\nuid: 0\ngid: 0\ncaps: =eip\n", []string{"root-keeps-power:2:6", "inheritable-not-ambient:4:7"}},
		"inheritable, all, nnp":  {zero + "caps: =eip\n", []string{"root-keeps-power:2:6"}},
		"blocked":                {user + "iab: ^" + bind + ",!cap_kill\n", nil},
		"root by one":            {user + quiet + "caps: cap_kill,cap_chown=eip\n", []string{"amounts-to-root:6:16"}},
		"root by two":            {user + quiet + "caps: cap_sys_admin,cap_bpf=eip\n", []string{"amounts-to-root:6:7", "amounts-to-root:6:21"}},
		"root by a later clause": {user + quiet + "caps: cap_kill=eip cap_setuid+eip\n", []string{"caps-not-canonical:6:7", "amounts-to-root:6:20"}},
		"root by number":         {user + quiet + "caps: 21=eip\n", []string{"amounts-to-root:6:7", "caps-not-canonical:6:7"}},
		"root in quotes":         {user + quiet + "caps: \"cap_sys_module=eip\"\n", []string{"amounts-to-root:6:8"}},
		"root by iab":            {user + quiet + "iab: \"!cap_kill,!^cap_chown,^cap_net_raw\"\n", []string{"amounts-to-root:6:19"}},
		"root, caps and iab":     {user + quiet + "caps: cap_chown=eip\niab: ^cap_chown\n", []string{"amounts-to-root:6:7"}},
		"root by all":            {user + quiet + "caps: all=eip\n", []string{"amounts-to-root:6:7"}},
		"root by all but one":    {user + quiet + "caps: =eip cap_sys_admin-eip\n", []string{"amounts-to-root:6:7"}},
		"root, only inheritable": {user + quiet + "caps: cap_sys_admin=i\n", []string{"inheritable-not-ambient:6:7"}},
		"root, only blocked":     {user + "iab: ^" + bind + ",!cap_sys_admin\n", nil},
		"root by four":           {user + quiet + "caps: cap_chown,cap_fowner,cap_mknod,cap_kill,cap_bpf=eip\n", []string{"amounts-to-root:6:7", "amounts-to-root:6:17", "amounts-to-root:6:28", "amounts-to-root:6:47"}},
		"root by five":           {user + quiet + "caps: cap_net_raw,cap_chown,cap_fowner,cap_mknod,cap_setuid,cap_bpf=eip\n", []string{"amounts-to-root:6:7"}},
		"root by two, folded":    {user + quiet + "caps: >-\n  cap_chown,cap_bpf,cap_kill=eip\n", []string{"amounts-to-root:6:7"}},
		"root by a name and all": {user + quiet + "caps: cap_bpf=eip =eip\n", []string{"discarded-clause:6:7"}},
		"uid 0 owns files":       {zero + quiet + "caps: cap_chown,cap_dac_override,cap_dac_read_search,cap_fowner,cap_fsetid,cap_setgid,cap_setfcap,cap_setpcap,cap_mknod=ep\n", []string{"root-owns-files:2:6"}},
		"uid 0 owns files, user": {zero + quiet + "caps: cap_setuid=ep\n", []string{"root-owns-files:2:6"}},
		"uid 0, the kernel":      {zero + quiet + "caps: cap_chown,cap_sys_module,cap_sys_rawio=ep\n", []string{"amounts-to-root:6:17", "amounts-to-root:6:32"}},
		"uid 0, noroot, kernel":  {zero + quiet + "caps: cap_chown,cap_bpf=eip\nsecbits: [noroot]\n", []string{"amounts-to-root:6:17"}},
		"uid 0, many ways":       {zero + quiet + "caps: cap_sys_module,cap_sys_rawio,cap_sys_admin,cap_sys_ptrace,cap_bpf=ep\n", []string{"amounts-to-root:6:7"}},
		"setpcap":                {user + "caps: cap_setpcap," + bind + "=eip\nenv: {keep: []}\n", nil},
		"setpcap, later":         {"version: 1\nuid: 33\ngid: 33\ncaps: cap_setpcap=eip\nenv: {keep: []}\n", []string{"no-new-privs-missing:1:10"}},
		"setpcap, bounding":      {"version: 1\nuid: 33\ngid: 33\niab: ^cap_setpcap\nenv: {keep: []}\n", []string{"no-new-privs-missing:1:10", "bounding-wider:4:6", "amounts-to-root:4:7"}},
		"setpcap, bounding, nnp": {user + quiet + "iab: ^cap_setpcap\n", nil},
		"setpcap, uid 0":         {"version: 1\nuid: 0\ngid: 0\niab: ^cap_setpcap\nsecbits: [noroot]\nenv: {keep: []}\n", []string{"no-new-privs-missing:1:10", "bounding-wider:4:6", "amounts-to-root:4:7", "securebit-unlocked:5:10"}},
		"drops by itself":        {zero + quiet + "caps: cap_setgid,cap_setuid," + bind + "=ep\n", []string{"drops-by-itself:2:6"}},
		"drops, noroot":          {zero + quiet + "caps: cap_setgid,cap_setuid=eip\nsecbits: [noroot]\n", []string{"drops-by-itself:2:6"}},
		"drops, started by root": {"version: 1\nno_new_privs: true\n" + quiet + "caps: cap_setgid,cap_setuid=ep\n", []string{"drops-by-itself:1:10"}},
		"drops, works as root":   {zero + quiet + "caps: cap_setgid,cap_setuid,cap_sys_admin=ep\n", []string{"amounts-to-root:6:29"}},
		"drops, user":            {user + quiet + "caps: cap_setgid,cap_setuid=eip\n", []string{"amounts-to-root:6:7", "amounts-to-root:6:18"}},
		"less than root":         {user + quiet + "caps: cap_kill,cap_net_admin,cap_net_raw,cap_sys_chroot,cap_perfmon,cap_fsetid,cap_syslog=eip\n", nil},

		// Capability texts.
		"number":             {user + "caps: 10=eip\n", []string{"caps-not-canonical:5:7"}},
		"a name twice":       {user + "caps: " + bind + "," + bind + "=eip\n", []string{"caps-not-canonical:5:7"}},
		"a flag twice":       {user + "caps: " + bind + "=eiip\n", []string{"caps-not-canonical:5:7"}},
		"piece by piece":     {user + "caps: " + bind + "=ep " + bind + "+i\n", []string{"caps-not-canonical:5:7"}},
		"there and back":     {user + "caps: =eip-eip\n", []string{"caps-not-canonical:5:7"}},
		"equals first":       {user + "caps: \"= " + bind + "+eip\"\n", []string{"caps-not-canonical:5:7"}},
		"no flags":           {user + "caps: " + bind + "=\n", []string{"caps-not-canonical:5:7"}},
		"as setcap has it":   {user + "caps: " + bind + "+pie\n", nil},
		"in any order":       {user + "caps: cap_sys_nice,cap_ipc_lock=ipe\n", nil},
		"clauses, any order": {user + quiet + "caps: cap_kill=i cap_net_raw+eip\n", []string{"inheritable-not-ambient:6:7"}},
		"clauses, any flags": {user + quiet + "caps: cap_net_raw=pie cap_kill+i\n", []string{"inheritable-not-ambient:6:23"}},
		"all with clauses":   {user + quiet + "caps: all=eip cap_setuid,cap_kill-pie\n", []string{"amounts-to-root:6:7"}},
		"iab: number":        {user + "iab: ^10\n", []string{"caps-not-canonical:5:6"}},
		"iab: twice":         {user + "iab: ^" + bind + ",!" + bind + "\n", []string{"caps-not-canonical:5:6"}},
		"iab: marks":         {user + "iab: ^%" + bind + "\n", []string{"caps-not-canonical:5:6"}},
		"iab: in any order":  {user + "iab: \"!cap_sys_admin,^!" + bind + ",!cap_chown\"\n", nil},
		"iab: empty":         {user + "iab: ''\n", nil},
		"iab and caps":       {user + "caps: 10=eip\niab: ^10\n", []string{"caps-not-canonical:5:7", "caps-not-canonical:6:6"}},
		"folded over lines":  {user + "caps: >-\n  " + bind + "=eip\n", nil},

		// Securebits.
		"unlocked, has setpcap":     {user + quiet + "caps: cap_setpcap=eip\nsecbits: [noroot]\n", []string{"securebit-unlocked:7:10"}},
		"locked, has setpcap":       {user + quiet + "caps: cap_setpcap=eip\nsecbits: [noroot, noroot_locked]\n", nil},
		"unlocked, bounding":        {"version: 1\nuid: 33\ngid: 33\niab: ''\nsecbits: [noroot]\n", []string{"no-new-privs-missing:1:10", "bounding-wider:4:6", "securebit-unlocked:5:10"}},
		"unlocked, bounding, nnp":   {user + "iab: ''\nsecbits: [noroot]\n", nil},
		"unlocked, out of reach":    {safe + "secbits: [noroot, no_setuid_fixup, no_cap_ambient_raise]\n", nil},
		"unlocked advice":           {safe + "secbits: [exec_restrict_file, exec_deny_interactive]\n", []string{"securebit-unlocked:6:10"}},
		"locked advice":             {safe + "secbits: [exec_restrict_file, exec_restrict_file_locked]\n", nil},
		"keep_caps_locked alone":    {safe + "secbits: [keep_caps_locked]\n", nil},
		"modes lock what they need": {"version: 1\nmode: PURE1E\niab: ''\n", []string{"no-new-privs-missing:1:10", "bounding-wider:3:6"}},

		// Environment and limits.
		"loader variable":         {safe + "env: {keep: [PATH, LD_PRELOAD]}\n", []string{"loader-variable-removed:6:20"}},
		"loader variable, kept":   {"version: 1\ncaps: cap_kill=ep\nno_new_privs: true\nenv: {keep: [LD_PRELOAD, TMPDIR]}\n", []string{"environment-passed:4:14"}},
		"loader variable, set":    {safe + "env: {set: {LD_PRELOAD: /x.so}}\n", nil},
		"loader variable, caps":   {user + "caps: " + bind + "=eip\nenv: {keep: [], set: {LD_PRELOAD: /x.so, A: b}}\n", []string{"loader-variable:6:35"}},
		"loader variable, uid 0":  {zero + "caps: " + bind + "=ep\nenv: {set: {LD_LIBRARY_PATH: /opt/lib}}\n", []string{"root-owns-files:2:6", "loader-variable:6:30"}},
		"loader variable, all":    {"version: 1\nuid: 0\ngid: 0\ncaps: =ep\nenv: {set: {LD_AUDIT: /x.so}}\n", []string{"root-keeps-power:2:6", "loader-variable:5:23"}},
		"loader variable, two":    {user + "caps: " + bind + "=eip\nenv: {set: {GCONV_PATH: /a, LD_PRELOAD: /x.so}}\n", []string{"loader-variable:6:25", "loader-variable:6:41"}},
		"loader variable, empty":  {user + "caps: " + bind + "=eip\nenv: {set: {LD_PRELOAD: \"\"}}\n", nil},
		"loader variable, advice": {user + "caps: " + bind + "=eip\nenv: {set: {LD_BIND_NOW: \"1\", MALLOC_PERTURB_: \"7\", TZDIR: /x}}\n", nil},

		"secret": {safe + "env: {set: {DB_PASSWORD: hunter2}}\n", []string{"secret-in-profile:6:13"}},
		"secrets": {safe + "env:\n  set:\n    PGPASSWORD: x\n    github_token: x\n    AWS_SECRET_ACCESS_KEY: x\n    SECRET_KEY_BASE: x\n    API_KEY: x\n    OPENAI_APIKEY: x\n    TLS_PRIVATE_KEY: x\n    SMTP_CREDENTIALS: x\n    CLIENT_SECRET: x\n    MYSQL_PASSWD: x\n    KEY_PASSPHRASE: x\n",
			[]string{"secret-in-profile:8:5", "secret-in-profile:9:5", "secret-in-profile:10:5", "secret-in-profile:11:5", "secret-in-profile:12:5", "secret-in-profile:13:5", "secret-in-profile:14:5", "secret-in-profile:15:5", "secret-in-profile:16:5", "secret-in-profile:17:5", "secret-in-profile:18:5"}},
		"secret, elsewhere":  {safe + "env:\n  set:\n    DB_PASSWORD_FILE: /run/secrets/db\n    TOKEN_URL: \"https://x\"\n    SECRET_PATH: x\n    PASSWORD: \"\"\n    GOOGLE_APPLICATION_CREDENTIALS: /etc/key.json\n    TOKENIZER: x\n    PUBLIC_KEY: x\n    TOKENS_PER_SECOND: \"4\"\n    MAX_TOKENS: \"7\"\n", nil},
		"secret, a switch":   {safe + "env:\n  set:\n    ALLOW_EMPTY_PASSWORD: \"yes\"\n    RANDOM_ROOT_PASSWORD: \"1\"\n    USE_TOKEN: \"False\"\n", nil},
		"secret, kept":       {safe + "env: {keep: [DB_PASSWORD]}\n", nil},
		"secret, in a file:": {safe + "env: {set: {API_TOKEN: \"file:/run/secrets/token\"}}\n", nil},

		"limit, nproc":            {zero + "caps: \"=\"\nrlimits: {nproc: 10}\n", []string{"root-owns-files:2:6", "limit-without-effect:6:18"}},
		"limit, nproc, soft":      {zero + "caps: \"=\"\nrlimits: {nproc: {soft: 1, hard: unlimited}}\n", []string{"root-owns-files:2:6", "limit-without-effect:6:18"}},
		"limit, nproc, unlimited": {zero + "caps: \"=\"\nrlimits: {nproc: unlimited}\n", []string{"root-owns-files:2:6"}},
		"limit, nproc, user":      {safe + "rlimits: {nproc: 10, nofile: 64, memlock: 0, nice: 0, rtprio: 0}\n", nil},
		"limit, nproc, admin":     {user + quiet + "caps: cap_sys_admin=eip\nrlimits: {nproc: 10}\n", []string{"amounts-to-root:6:7", "limit-without-effect:7:18"}},
		"limit, nproc, drops":     {zero + quiet + "caps: cap_setgid,cap_setuid=ep\nrlimits: {nproc: 10}\n", []string{"drops-by-itself:2:6"}},
		"limit, memlock":          {user + "caps: cap_ipc_lock=eip\nrlimits: {memlock: 0, nproc: 10}\n", []string{"limit-without-effect:6:20"}},
		"limit, memlock, all":     {user + "caps: cap_ipc_lock=eip\nrlimits: {memlock: unlimited}\n", nil},
		"limit, nice":             {user + "caps: cap_sys_nice=eip\nrlimits: {nice: 20, rtprio: 1}\n", []string{"limit-without-effect:6:17", "limit-without-effect:6:29"}},
		"limit, of old kernels":   {safe + "rlimits: {rss: 1000, locks: 10}\n", []string{"limit-without-effect:6:16", "limit-without-effect:6:29"}},
		"limit, raised":           {user + quiet + "caps: cap_sys_resource=eip\nrlimits: {nofile: 64, nproc: 10, core: unlimited}\n", []string{"limit-without-effect:7:1"}},
		"limit, one raised":       {user + quiet + "caps: cap_sys_resource=eip\nrlimits: {nofile: 64}\n", []string{"limit-without-effect:7:19"}},
		"limit, nothing to raise": {user + quiet + "caps: cap_sys_resource=eip\nrlimits: {core: unlimited}\n", nil},
		"limit, all power":        {"version: 1\nuid: 0\ngid: 0\ncaps: =ep\nrlimits: {nofile: 64, nproc: 3}\n", []string{"root-keeps-power:2:6"}},
		"environment, no key":     {user + "caps: cap_net_raw=eip\n", []string{"environment-passed:1:10"}},
		"environment, no keep":    {user + "caps: cap_net_raw=eip\nenv: {unset: [TERM]}\n", []string{"environment-passed:6:1"}},
		"environment, all":        {user + "caps: cap_net_raw=eip\nenv: {keep: all}\n", []string{"environment-passed:6:13"}},
		"environment, list":       {user + "caps: cap_net_raw=eip\nenv: {keep: [PATH]}\n", nil},
		"environment, none":       {user + "caps: cap_net_raw=eip\nenv: {keep: []}\n", nil},
		"environment, port":       {user + "caps: " + bind + "=eip\nenv: {keep: all}\n", nil},
		"environment, nothing":    {safe + "env: {keep: all}\n", nil},
		"environment, by iab":     {user + "iab: ^cap_kill\n", []string{"environment-passed:1:10"}},
		"environment, full power": {"version: 1\ncaps: =ep\n", []string{"root-keeps-power:1:10"}},

		// Files.
		"chroot":                     {safe + "chroot: /srv\n", nil},
		"chroot again":               {user + quiet + "caps: cap_sys_chroot=eip\nchroot: /srv\n", []string{"chroot-escape:7:9"}},
		"chroot to the root":         {user + quiet + "caps: cap_sys_chroot=eip\nchroot: /\n", nil},
		"no chroot":                  {user + quiet + "caps: cap_sys_chroot=eip\n", nil},
		"chroot, many ways":          {user + quiet + "caps: cap_sys_chroot,cap_sys_ptrace=eip\nchroot: /srv\n", []string{"amounts-to-root:6:22", "chroot-escape:7:9"}},
		"chroot, everything":         {"version: 1\nuid: 0\ngid: 0\ncaps: =ep\nchroot: /srv\n", []string{"root-keeps-power:2:6", "chroot-escape:5:9"}},
		"chroot, cannot leave":       {user + quiet + "caps: cap_net_raw=eip\nchroot: /srv\n", nil},
		"chroot, descriptor":         {safe + "chroot: /srv\nkeep_fds: [3]\n", []string{"chroot-descriptors:7:11"}},
		"chroot, descriptors":        {safe + "chroot: /srv\nkeep_fds: [3, 4]\n", []string{"chroot-descriptors:7:11"}},
		"descriptor, no chroot":      {safe + "keep_fds: [3]\n", nil},
		"descriptor, chroot to root": {safe + "chroot: /\nkeep_fds: [3]\n", nil},
		"umask, open":                {safe + "umask: \"0000\"\n", []string{"umask-open:6:8"}},
		"umask, read by none":        {safe + "umask: \"0075\"\n", []string{"umask-open:6:8"}},
		"umask, group":               {safe + "umask: \"0002\"\n", nil},

		// The command.
		"relative":            {safe + "command: [./x]\n", []string{"relative-command:6:11"}},
		"relative, cwd":       {safe + "command: [./x]\ncwd: /srv\n", nil},
		"relative, chroot":    {safe + "command: [bin/x]\nchroot: /srv\n", nil},
		"searched":            {safe + "command: [x]\n", []string{"relative-command:6:11"}},
		"searched, cwd":       {safe + "command: [x]\ncwd: /srv\n", []string{"relative-command:6:11"}},
		"searched, kept PATH": {safe + "command: [x]\nenv: {keep: [PATH]}\n", []string{"relative-command:6:11"}},
		"searched, set PATH":  {safe + "command: [x]\nenv: {set: {PATH: /bin}}\n", nil},
		"shell":               {safe + "command: [/bin/bash, -l]\n", []string{"terminal-kept:6:11"}},
		"shell, caps":         {"version: 1\nuid: 0\ngid: 0\nsecbits: [noroot]\ncaps: \"=\"\nno_new_privs: true\ncommand: [/bin/sh]\n", []string{"root-owns-files:2:6", "terminal-kept:7:11"}},
		"shell in a shell":    {safe + "command: [/bin/busybox, sh]\n", []string{"terminal-kept:6:25"}},
		"script, interactive": {safe + "command: [/bin/sh, -i, script]\n", []string{"terminal-kept:6:11"}},
		"editor":              {safe + "command: [/usr/bin/vim, file]\n", []string{"terminal-kept:6:11"}},
		"script":              {safe + "command: [/bin/sh, script]\n", nil},
		"text of a script":    {safe + "command: [/bin/sh, -c, exec x]\n", nil},
		"server":              {safe + "command: [/bin/server]\n", nil},
		"shell, new session":  {safe + "command: [/bin/bash]\nnew_session: true\n", nil},
		"shell with the same": {"version: 1\niab: ''\nno_new_privs: true\ncommand: [/bin/bash]\n", []string{"root-keeps-power:1:10"}},
		"shell, privilege":    {user + "caps: " + bind + "=eip\ncommand: [/bin/sh, -c, exec x]\n", []string{"shell-command:6:11"}},
		"shell, at a prompt":  {user + "caps: " + bind + "=eip\ncommand: [/bin/zsh]\n", []string{"shell-command:6:11", "terminal-kept:6:11"}},
		"busybox, privilege":  {user + "caps: " + bind + "=eip\ncommand: [/bin/busybox, ash, /run]\n", []string{"shell-command:6:25"}},
		"busybox, no shell":   {user + "caps: " + bind + "=eip\ncommand: [/bin/busybox, httpd, -f]\n", nil},
		"busybox alone":       {user + "caps: " + bind + "=eip\ncommand: [/bin/busybox]\n", nil},
		"python, privilege":   {user + "caps: " + bind + "=eip\ncommand: [/bin/python3, /srv/x]\n", nil},

		// Commands behind wrappers.
		"shell, by env":         {user + "caps: " + bind + "=eip\ncommand: [/usr/bin/env, A=b, bash, /run]\n", []string{"shell-command:6:30"}},
		"shell, by xargs -l":    {user + "caps: " + bind + "=eip\ncommand: [/usr/bin/xargs, -l, sh, -c, x]\n", []string{"shell-command:6:31"}},
		"shell, by unshare":     {user + "caps: " + bind + "=eip\ncommand: [/usr/bin/unshare, -R, /x, sh, /y]\n", []string{"shell-command:6:37"}},
		"a shell by setsid":     {safe + "command: [/usr/bin/nice, /usr/bin/setsid, -w, bash]\n", nil},
		"setsid in a variable":  {safe + "command: [/usr/bin/env, A=/bin/setsid, bash]\n", []string{"terminal-kept:6:40"}},
		"shell, by env --":      {user + "caps: " + bind + "=eip\ncommand: [/usr/bin/env, -i, --, A=b, bash, /run]\n", []string{"shell-command:6:38"}},
		"shell, by env -S":      {user + "caps: " + bind + "=eip\ncommand: [/usr/bin/env, -S, \"-i nice sh -c x\"]\n", []string{"shell-command:6:29"}},
		"shell, by env -iS":     {user + "caps: " + bind + "=eip\ncommand: [/usr/bin/env, \"-iSsh -c x\"]\n", []string{"shell-command:6:25"}},
		"shell, by env --split": {user + "caps: " + bind + "=eip\ncommand: [/usr/bin/env, \"--split-string=A=b sh\", -c, x]\n", []string{"shell-command:6:25"}},
		"shell, by many":        {user + "caps: " + bind + "=eip\ncommand: [/usr/bin/nice, " + strings.Repeat("nice, ", 50) + "sh, /x]\n", []string{"shell-command:6:326"}},
		"endless split":         {user + "caps: " + bind + "=eip\ncommand: [/usr/bin/env, -S, \"" + strings.Repeat("-S ", 2000) + "sh\"]\n", nil},
		"shell, by two":         {user + "caps: " + bind + "=eip\ncommand: [/sbin/tini, --, timeout, -k, 5s, 10s, sh, /run]\n", []string{"shell-command:6:49"}},
		"shell, by the loader":  {user + "caps: " + bind + "=eip\ncommand: [/lib64/ld-linux-x86-64.so.2, /bin/sh, /run]\n", []string{"shell-command:6:40"}},
		"shell, by toybox":      {user + "caps: " + bind + "=eip\ncommand: [/bin/toybox, nohup, sh, /run]\n", []string{"shell-command:6:31"}},
		"shell, with a version": {user + "caps: " + bind + "=eip\ncommand: [/bin/zsh-5.9, /run]\n", []string{"shell-command:6:11"}},
		"shell, of an argument": {user + "caps: " + bind + "=eip\ncommand: [/usr/bin/env, /srv/x, --shell, bash]\n", nil},
		"wrapper of nothing":    {user + "caps: " + bind + "=eip\ncommand: [/usr/bin/env, A=b]\n", nil},
		"python by env":         {safe + "command: [/usr/bin/env, python3.12]\n", []string{"terminal-kept:6:25"}},

		// World-writable directories.
		"public program":       {safe + "command: [/tmp/server]\n", []string{"public-directory:6:11"}},
		"public program, cwd":  {safe + "cwd: /var/tmp/x\ncommand: [./server]\n", []string{"public-directory:7:11"}},
		"public program, ..":   {safe + "command: [/usr/../tmp//server]\n", []string{"public-directory:6:11"}},
		"public program, nice": {safe + "command: [/usr/bin/nice, /dev/shm/server]\n", []string{"public-directory:6:26"}},
		"public script":        {safe + "command: [/usr/bin/python3, /tmp/x.py]\n", []string{"public-directory:6:29"}},
		"public script of sh":  {safe + "command: [/bin/sh, -e, /tmp/x.sh]\n", []string{"public-directory:6:24"}},
		"public, no script":    {safe + "command: [/bin/sh, -c, /bin/x, /tmp/y]\n", nil},
		"public, a module":     {safe + "command: [/usr/bin/python3, -m, x, /tmp/y]\n", nil},
		"public root":          {safe + "chroot: /tmp/jail\ncommand: [/server]\n", []string{"public-directory:6:9"}},
		"public inside a root": {safe + "chroot: /srv/jail\ncommand: [/tmp/server]\n", nil},
		"public PATH":          {safe + "env: {set: {PATH: \"/usr/bin:/tmp/bin\"}}\n", []string{"public-directory:6:19"}},
		"public PATH, by cwd":  {safe + "cwd: /tmp\nenv: {set: {PATH: \".:/usr/bin\"}}\n", []string{"public-directory:7:19"}},
		"public code":          {safe + "env: {set: {PYTHONPATH: /tmp, NODE_OPTIONS: --require=/dev/shm/x.js, LD_PRELOAD: /tmp/x.so, RUBYOPT: -r/tmp/x}}\n", []string{"public-directory:6:25", "public-directory:6:45", "public-directory:6:82", "public-directory:6:102"}},
		"public code, loader":  {user + "caps: " + bind + "=eip\nenv: {keep: [], set: {LD_PRELOAD: /tmp/x.so}}\n", []string{"loader-variable:6:35"}},
		"public data":          {safe + "cwd: /tmp\ncommand: [/srv/x, /tmp/data]\nenv: {set: {TMPDIR: /tmp, HOME: /tmp}}\n", nil},
		"no public directory":  {safe + "command: [/tmpfs/server]\nenv: {set: {PATH: /tmp2}}\n", nil},
		"PATH, empty entry":    {safe + "env: {set: {PATH: \"/usr/bin:\"}}\n", []string{"relative-command:6:19"}},
		"PATH, relative, cwd":  {safe + "cwd: /srv\nenv: {set: {PATH: \"bin:/usr/bin\"}}\n", nil},
		"PATH, empty":          {safe + "env: {set: {PATH: \"\"}}\n", nil},
		"a list with code":     {user + "caps: cap_net_raw=eip\nenv: {keep: [LANG, BASH_ENV, PATH, PYTHONPATH]}\n", []string{"environment-passed:6:20", "environment-passed:6:36"}},
		"a list, harmless":     {user + "caps: " + bind + "=eip\nenv: {keep: [BASH_ENV]}\n", nil},
		"root of a process":    {safe + "chroot: /proc/1/root\n", []string{"chroot-of-process:6:9"}},
		"root's files, a jail": {zero + "caps: \"=\"\nchroot: /srv\n", nil},
		"group disk":           {"version: 1\nuid: 33\ngid: 6\ngroups: [42]\ncaps: \"=\"\nno_new_privs: true\n", []string{"root-group:3:6", "root-group:4:10"}},

		// Misleading text.
		"hidden in the program": {safe + "command: [/srv/web\u200b/server]\n", []string{"misleading-text:6:11"}},
		"hidden in an argument": {safe + "command: [/srv/x, \"/etc/x\\u2060\"]\n", []string{"misleading-text:6:19"}},
		"hidden after Cyrillic": {safe + "command: [\"/srv/\u0436\u200b\"]\n", []string{"misleading-text:6:11"}},
		"joined, as it must be": {safe + "command: [\"/srv/\u0915\u094d\u200d\u0937\"]\n", nil},
		"a look-alike":          {safe + "chroot: /srv/j\u0430il\n", []string{"misleading-text:6:9"}},
		"a wide look-alike":     {safe + "chroot: /srv/j\uff41il\n", []string{"misleading-text:6:9"}},
		"no space":              {safe + "cwd: \"/srv/a\u00a0b\"\n", []string{"misleading-text:6:6"}},
		"a variable misleads":   {safe + "env: {set: {A: \"\u2800\u034f\"}}\n", []string{"misleading-text:6:16"}},
		"a gid misleads":        {"version: 1\nuser: web\ngid: r\u03bfot\ncaps: \"=\"\nno_new_privs: true\n", []string{"misleading-text:3:6"}},
		"a group misleads":      {"version: 1\nuser: web\ngroups: [adm, r\u03bfot]\ncaps: \"=\"\nno_new_privs: true\n", []string{"misleading-text:3:15"}},
		"a name misleads":       {"version: 1\nuser: r\u03bfot\ncaps: \"=\"\nno_new_privs: true\n", []string{"misleading-text:2:7"}},
		"other scripts":         {safe + "cwd: /srv/\u0434\u0430\u043d\u043d\u044b\u0435/\u65e5\u672c/caf\u00e9\ncommand: [/srv/x, \"10\u03bcs\", \"\U0001f469\u200d\U0001f4bb\u2764\ufe0f\", \"\u0645\u06cc\u200c\u062e\"]\n", nil},

		"secret, of an address":  {safe + "env: {set: {DATABASE_URL: \"postgres://web:hunter2@db/web\"}}\n", []string{"secret-in-profile:6:13"}},
		"secret, of another":     {safe + "env: {set: {URLS: \"http://h/,amqp://web:hunter2@mq\"}}\n", []string{"secret-in-profile:6:13"}},
		"secret, with escapes":   {safe + "env: {set: {DATABASE_URL: \"postgres://web:a%40b$@db/web\"}}\n", []string{"secret-in-profile:6:13"}},
		"secret, a place for it": {safe + "env: {set: {DATABASE_URL: \"postgres://web:${PASSWORD}@db/web\", URL: \"https://x@h:8/a:b@c\"}}\n", []string{"not-expanded:6:27"}},
		"secret, by its form":    {safe + "env: {set: {A: ghp_0123456789abcdefghij, B: \"-----BEGIN PRIVATE KEY-----\", C: ghp_short}}\n", []string{"secret-in-profile:6:13", "secret-in-profile:6:42"}},
		"secret, in a word":      {safe + "command: [/srv/x, --db-password=hunter2, --token-file=/x, --password=/run/x, \"redis://:x@h\"]\n", []string{"secret-in-profile:6:19", "secret-in-profile:6:78"}},
	} {
		var got []string
		for _, d := range Check(name, []byte(c.text), Options{}).Findings {
			got = append(got, d.Rule+":"+d.Position.String())
			if d.Hint == "" {
				t.Errorf("%s: %v has no hint", name, d)
			}
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// TestSecretIsNotPrinted checks that findings, which go to logs, do not contain the
// secret.
func TestSecretIsNotPrinted(t *testing.T) {
	const text = "version: 1\nuid: 33\ngid: 33\ncaps: \"=\"\nno_new_privs: true\nenv: {set: {DB_PASSWORD: hunter2}}\n"
	for _, f := range Check("x.yaml", []byte(text), Options{}).Findings {
		if strings.Contains(f.Message+f.Hint, "hunter2") {
			t.Errorf("%+v", f)
		}
	}
}

// TestLoaderVariableHint checks that the hint about env.keep does not lead to a
// finding about env.set.
func TestLoaderVariableHint(t *testing.T) {
	const set = "remove it from keep, or give it a value under set"
	for text, want := range map[string]string{
		"caps: cap_kill=eip\nenv: {keep: [LD_PRELOAD]}\n":  "remove it from keep; link the program with the library",
		"caps: cap_kill=eip\nenv: {keep: [TMPDIR]}\n":      set,
		"caps: cap_kill=eip\nenv: {keep: [LD_BIND_NOW]}\n": set,
		"caps: \"=\"\nenv: {keep: [LD_PRELOAD]}\n":         set,
		"caps: cap_kill=eip\nenv: {keep: [GCONV_PATH]}\n":  "remove it from keep; install the converters where the C library looks for them",
	} {
		found := Check("x.yaml", []byte("version: 1\nuid: 33\ngid: 33\nno_new_privs: true\n"+text), Options{}).Findings
		if len(found) != 1 || found[0].Rule != "loader-variable-removed" || found[0].Hint != want {
			t.Errorf("%q: %+v", text, found)
		}
	}
}

func TestBuiltinProfilesHaveNoFindings(t *testing.T) {
	for _, name := range profiles.Names() {
		text, err := profiles.Read(name)
		if err != nil {
			t.Fatal(err)
		}
		var rules []string
		found := Check(name, text, Options{}).Findings
		for _, d := range found {
			if d.Suppressed == nil {
				rules = append(rules, d.Rule)
			}
		}
		if len(rules) > 0 {
			t.Errorf("%v", found)
		}
		if p, _ := policy.Parse(name, text); p.Name != name || len(p.Description) < 60 {
			t.Errorf("%s: its name is %q, its description %q", name, p.Name, p.Description)
		}
	}
}

func TestRules(t *testing.T) {
	rules := Rules()
	// A sentence that fits into a table, capitalized unless it begins with a key.
	sentence := regexp.MustCompile(`^([A-Z]|[a-z_]+ ).{20,118}[^ ,]\.$`)
	kebab := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	summaries := map[string]string{}
	for n, r := range rules {
		if !kebab.MatchString(r.Name) || n > 0 && rules[n-1].Name >= r.Name {
			t.Errorf("rule %d: %+v", n, r)
		}
		if !sentence.MatchString(r.Summary) || strings.Contains(r.Summary, ". ") {
			t.Errorf("%s: the summary is not a sentence: %s", r.Name, r.Summary)
		}
		if other := summaries[r.Summary]; other != "" {
			t.Errorf("%s and %s have the same summary", r.Name, other)
		}
		summaries[r.Summary] = r.Name
	}
	// Two packages that report the same rule agree about it.
	for _, r := range slices.Concat(policy.Rules(), engine.Rules()) {
		if !slices.Contains(rules, r) {
			t.Errorf("another package has a different rule %s", r.Name)
		}
	}
}
