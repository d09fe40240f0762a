package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"k8s.io/apimachinery/pkg/types"
	remotecommandconsts "k8s.io/apimachinery/pkg/util/remotecommand"
	clientremote "k8s.io/client-go/tools/remotecommand"
	"k8s.io/kubelet/pkg/cri/streaming/portforward"
	"k8s.io/kubelet/pkg/cri/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

// serveInside opens the ways across the border of the pod, all of them Unix sockets in the shared folder: out to what
// the pod may reach, in to its ports, and the kubelet's exec and port-forward.
func serveInside(spec containerSpec) error {
	for port, socket := range spec.Egress {
		listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return err
		}
		path := filepath.Join(sharedInPod, socket)
		go accept(listener, func(inside net.Conn) {
			outside, err := net.Dial("unix", path)
			join(inside, outside, err)
		})
	}
	ports, err := listenUnix(filepath.Join(sharedInPod, spec.Name+".ports"))
	if err != nil {
		return err
	}
	go accept(ports, dialAsked)
	streams, err := listenUnix(filepath.Join(sharedInPod, spec.Name+".streams"))
	if err != nil {
		return err
	}
	go func() { _ = http.Serve(streams, http.HandlerFunc(stream)) }()
	return nil
}

// listenUnix takes the place of a container that was killed, and left its socket behind.
func listenUnix(path string) (net.Listener, error) {
	_ = os.Remove(path)
	return net.Listen("unix", path)
}

func accept(listener net.Listener, serve func(net.Conn)) {
	for {
		connection, err := listener.Accept()
		if err != nil {
			return
		}
		go serve(connection)
	}
}

// dialAsked reads a line with the number of a port, and is that port from there on.
func dialAsked(outside net.Conn) {
	reader := bufio.NewReader(outside)
	line, err := reader.ReadString('\n')
	if err != nil {
		_ = outside.Close()
		return
	}
	inside, err := net.Dial("tcp", "127.0.0.1:"+strings.TrimSpace(line))
	join(bufferedConn{outside, reader}, inside, err)
}

type bufferedConn struct {
	net.Conn
	reader *bufio.Reader
}

func (c bufferedConn) Read(into []byte) (int, error) { return c.reader.Read(into) }

func (c bufferedConn) CloseWrite() error { return closeWrite(c.Conn) }

// join copies both ways until both are done; a half that ended is closed at the other end, so answers still come.
func join(one, other net.Conn, err error) {
	defer one.Close()
	if err != nil {
		return
	}
	defer other.Close()
	done := make(chan struct{}, 2)
	for _, way := range [][2]net.Conn{{one, other}, {other, one}} {
		go func() {
			_, _ = io.Copy(way[0], way[1])
			_ = closeWrite(way[0])
			done <- struct{}{}
		}()
	}
	<-done
	<-done
}

func closeWrite(connection net.Conn) error {
	if half, ok := connection.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return connection.Close()
}

// stream answers what the API server asks of a kubelet: /exec/NAMESPACE/POD/CONTAINER and /portForward/NAMESPACE/POD.
func stream(w http.ResponseWriter, r *http.Request) {
	const idle, creation = time.Minute, 10 * time.Second
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	switch parts[0] {
	case "exec":
		options, err := remotecommand.NewOptions(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		remotecommand.ServeExec(w, r, inside{}, "", "", "", r.URL.Query()["command"], options, idle, creation,
			remotecommandconsts.SupportedStreamingProtocols)
	case "portForward":
		options, err := portforward.NewV4Options(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		portforward.ServePortForward(w, r, inside{}, "", "", options, idle, creation, portforward.SupportedProtocols)
	default:
		http.NotFound(w, r)
	}
}

type inside struct{}

func (inside) ExecInContainer(ctx context.Context, _ string, _ types.UID, _ string, command []string, in io.Reader, out, errs io.WriteCloser, _ bool, _ <-chan clientremote.TerminalSize, _ time.Duration) error {
	run := exec.CommandContext(ctx, command[0], command[1:]...)
	run.Env = []string{"PATH=/usr/local/bin:/usr/bin:/bin"}
	run.Stdin, run.Stdout, run.Stderr = in, out, errs
	run.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: proxyUser, Gid: proxyUser}}
	err := run.Run()
	if ended, ok := err.(*exec.ExitError); ok {
		return utilexec.CodeExitError{Err: err, Code: ended.ExitCode()}
	}
	return err
}

func (inside) PortForward(_ context.Context, _ string, _ types.UID, port int32, stream io.ReadWriteCloser) error {
	target, err := net.Dial("tcp", "127.0.0.1:"+strconv.Itoa(int(port)))
	if err != nil {
		return err
	}
	defer target.Close()
	go func() {
		_, _ = io.Copy(target, stream)
		_ = closeWrite(target)
	}()
	_, err = io.Copy(stream, target)
	return err
}
