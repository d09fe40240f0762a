package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// What a kubelet tells the container runtime, as far as the gateway has it.
type containerSpec struct {
	// Of the sockets that lead into this pod, among those of others.
	Name string   `json:"name"`
	Args []string `json:"args"`
	Env  []string `json:"env"`
	// Directories of volumes: path to file name to content.
	Volumes map[string]map[string][]byte `json:"volumes"`
	// Names that lead to the loopback device of the pod, and from there through a socket out of it.
	Hosts []string `json:"hosts"`
	// Port on the pod's loopback to the name of a Unix socket in the shared folder.
	Egress map[int]string `json:"egress"`
	Envoy  string         `json:"envoy"`
	// The bootstrap that Envoy is started with, a template of the agent.
	Template string `json:"template"`
	// The folder where sockets cross the border of the pod.
	Shared string `json:"shared"`
}

const (
	proxyUser   = 1337
	sharedInPod = "/run/rig"
	agentPath   = "/usr/local/bin/pilot-agent"
)

// container runs `gateway container-init` in namespaces of its own. It ends with its standard input, so that nothing of
// it outlives the test, however that one ends.
func container() error {
	child := exec.Command("/proc/self/exe", append([]string{"container-init"}, os.Args[2:]...)...)
	child.Stdout, child.Stderr = os.Stdout, os.Stderr
	child.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWNET | syscall.CLONE_NEWPID | syscall.CLONE_NEWIPC | syscall.CLONE_NEWUTS,
		Pdeathsig:  syscall.SIGKILL,
	}
	if err := child.Start(); err != nil {
		return fmt.Errorf("no namespaces for a container: %w", err)
	}
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM, syscall.SIGINT)
	go func() {
		<-terminate
		_ = child.Process.Kill()
	}()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		_ = child.Process.Kill()
	}()
	return exitLike(child.Wait())
}

// containerInit is the first process of the container: it lays out the file system, brings the network up, and runs the
// agent as the user that it has in a cluster.
func containerInit() error {
	spec, err := readSpec(os.Args[2])
	if err != nil {
		return err
	}
	if err := enterRoot(spec); err != nil {
		return fmt.Errorf("the file system of the container: %w", err)
	}
	if err := loopbackUp(); err != nil {
		return fmt.Errorf("the network of the container: %w", err)
	}
	if err := serveInside(spec); err != nil {
		return fmt.Errorf("the ways in and out of the container: %w", err)
	}
	if err := withoutProtectionKeys(); err != nil {
		return fmt.Errorf("the filter of system calls: %w", err)
	}
	agent := exec.Command(agentPath, spec.Args...)
	agent.Env, agent.Dir = spec.Env, "/"
	agent.Stdout, agent.Stderr = os.Stdout, os.Stderr
	agent.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: proxyUser, Gid: proxyUser}}
	return exitLike(agent.Run())
}

// withoutProtectionKeys refuses them to all that this thread starts. V8 keeps its code behind a protection key of the
// processor where it is given one, and threads that are older than V8 may not read what is behind it: Envoy 1.36.4 starts
// its workers first, and ends with SIGSEGV when the first plugin comes (seen on processors with the flag `pku`, at 1.36.4;
// a plugin that is there at the start is taken). Refused a key, V8 does without.
func withoutProtectionKeys() error {
	runtime.LockOSThread()
	filter := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0},
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: unix.SYS_PKEY_ALLOC, Jt: 0, Jf: 1},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(unix.ENOSPC)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	program := unix.SockFprog{Len: uint16(len(filter)), Filter: &filter[0]}
	if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
		return err
	}
	return unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&program)), 0, 0)
}

func readSpec(file string) (containerSpec, error) {
	var spec containerSpec
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &spec)
	}
	return spec, err
}

func exitLike(err error) error {
	var ended *exec.ExitError
	if !errors.As(err, &ended) {
		return err
	}
	status, _ := ended.Sys().(syscall.WaitStatus)
	if status.Signaled() {
		os.Exit(128 + int(status.Signal()))
	}
	os.Exit(status.ExitStatus())
	return nil
}

// enterRoot makes a root of memory with the machine's libraries in it, read only, and the pod's own files.
func enterRoot(spec containerSpec) error {
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return err
	}
	// Any folder that every machine has; only this namespace sees what is mounted on it.
	const root = "/mnt"
	if err := unix.Mount("tmpfs", root, "tmpfs", 0, "mode=0755"); err != nil {
		return err
	}
	self, err := os.Readlink("/proc/self/exe")
	if err != nil {
		return err
	}
	binds := map[string]string{
		agentPath:              self,
		"/usr/local/bin/envoy": spec.Envoy,
		"/var/lib/istio/envoy/envoy_bootstrap_tmpl.json": spec.Template,
		sharedInPod: spec.Shared,
		"/dev":      "/dev",
	}
	for _, path := range []string{"/bin", "/sbin", "/lib", "/lib64", "/usr/bin", "/usr/lib", "/usr/lib64", "/etc/ssl/certs", "/usr/share/ca-certificates"} {
		binds[path] = path
	}
	for target, source := range binds {
		if err := bind(source, filepath.Join(root, target)); err != nil {
			return fmt.Errorf("%s: %w", source, err)
		}
	}
	if err := writeFiles(root, spec); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(root, "proc"), 0o755); err != nil {
		return err
	}
	if err := unix.Mount("proc", filepath.Join(root, "proc"), "proc", 0, ""); err != nil {
		return err
	}
	// As the chart does it: the proxy is nobody special and listens on 80.
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_unprivileged_port_start", []byte("0"), 0o644); err != nil {
		return err
	}
	if err := unix.Chroot(root); err != nil {
		return err
	}
	return os.Chdir("/")
}

// bind shows a file or a folder at another place; what the machine does not have is left out, a link stays a link.
func bind(source, target string) error {
	info, err := os.Lstat(source)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	switch {
	case info.Mode()&os.ModeSymlink != 0:
		to, err := os.Readlink(source)
		if err != nil {
			return err
		}
		return os.Symlink(to, target)
	case info.IsDir():
		err = os.MkdirAll(target, 0o755)
	default:
		err = os.WriteFile(target, nil, 0o755)
	}
	if err != nil {
		return err
	}
	return unix.Mount(source, target, "", unix.MS_BIND|unix.MS_REC, "")
}

func writeFiles(root string, spec containerSpec) error {
	files := map[string][]byte{
		"/etc/hosts":         []byte("127.0.0.1 localhost " + strings.Join(spec.Hosts, " ") + "\n"),
		"/etc/nsswitch.conf": []byte("hosts: files\n"),
		"/etc/passwd":        []byte("root:x:0:0::/:/bin/sh\nistio-proxy:x:1337:1337::/:/bin/sh\n"),
	}
	for folder, contents := range spec.Volumes {
		for name, content := range contents {
			files[filepath.Join(folder, name)] = content
		}
	}
	for name, content := range files {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(root, name)), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(root, name), content, 0o644); err != nil {
			return err
		}
	}
	for _, folder := range []string{"/etc/istio/proxy", "/var/lib/istio/data", "/var/run/secrets", "/tmp"} {
		if err := os.MkdirAll(filepath.Join(root, folder), 0o755); err != nil {
			return err
		}
		if err := os.Chown(filepath.Join(root, folder), proxyUser, proxyUser); err != nil {
			return err
		}
	}
	return nil
}

func loopbackUp() error {
	socket, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0)
	if err != nil {
		return err
	}
	defer unix.Close(socket)
	device, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	device.SetUint16(unix.IFF_UP | unix.IFF_RUNNING)
	return unix.IoctlIfreq(socket, unix.SIOCSIFFLAGS, device)
}
