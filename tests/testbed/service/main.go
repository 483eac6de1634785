// SPDX-License-Identifier: Apache-2.0

// A service as the daemon's --connect reaches it, made of the original's own
// packages; see ../README.md.
//
//	POST BASE/v6/events	decoded by the original's type, encoded again, and
//				compared: a line in DIR/events says what came of it
//	GET BASE/v11/daemon	the original's websocket and RPC client
//	GET /call?method=&arg=	calls the daemon: {"result":…} or {"error":…}
//
// With --gone the websocket is gone for good (410).
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/fluxcd/flux/pkg/api/v10"
	"github.com/fluxcd/flux/pkg/api/v11"
	"github.com/fluxcd/flux/pkg/api/v9"
	fluxerr "github.com/fluxcd/flux/pkg/errors"
	"github.com/fluxcd/flux/pkg/event"
	"github.com/fluxcd/flux/pkg/http/websocket"
	"github.com/fluxcd/flux/pkg/job"
	"github.com/fluxcd/flux/pkg/remote"
	"github.com/fluxcd/flux/pkg/remote/rpc"
	"github.com/fluxcd/flux/pkg/update"
)

const (
	waitForDaemon = 20 * time.Second
	callLimit     = 30 * time.Second
)

type service struct {
	sync.Mutex
	dir, token string
	gone       bool
	daemon     *rpc.RPCClientV11
	connected  chan struct{} // closed while there is a daemon
}

func (s *service) note(name, format string, args ...interface{}) {
	s.Lock()
	defer s.Unlock()
	f, err := os.OpenFile(filepath.Join(s.dir, name),
		os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0600)
	if err != nil {
		log.Fatal(err)
	}
	defer f.Close()
	fmt.Fprintf(f, format+"\n", args...)
}

func (s *service) knows(r *http.Request) bool {
	want := ""
	if s.token != "" {
		want = "Scope-Probe token=" + s.token
	}
	return r.Header.Get("Authorization") == want
}

// "same", or what differs from what the original would have sent.
func judge(body []byte) (string, string) {
	var ev event.Event
	if err := json.Unmarshal(body, &ev); err != nil {
		return "error: " + err.Error(), ""
	}
	again, err := json.Marshal(ev)
	if err != nil {
		return "error: " + err.Error(), ""
	}
	if string(again) != string(body) {
		return "differs: " + string(again), ev.String()
	}
	return "same", ev.String()
}

func (s *service) events(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil || !s.knows(r) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	verdict, text := judge(body)
	s.note("events", "%s\t%s\t%s\t%s", verdict, r.UserAgent(), text, body)
}

func (s *service) register(w http.ResponseWriter, r *http.Request) {
	if s.gone {
		w.WriteHeader(http.StatusGone)
		return
	}
	if !s.knows(r) {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	ws, err := websocket.Upgrade(w, r, nil)
	if err != nil {
		s.note("connections", "error: %v", err)
		return
	}
	s.note("connections", "%s", r.UserAgent())
	client := rpc.NewClientV11(ws)
	s.Lock()
	if s.daemon == nil {
		close(s.connected)
	}
	s.daemon = client
	s.Unlock()
}

func (s *service) client() (*rpc.RPCClientV11, error) {
	s.Lock()
	connected := s.connected
	s.Unlock()
	select {
	case <-connected:
	case <-time.After(waitForDaemon):
		return nil, errors.New("no daemon has connected")
	}
	s.Lock()
	defer s.Unlock()
	return s.daemon, nil
}

// Forget one that does not answer any more.
func (s *service) lost(c *rpc.RPCClientV11) {
	s.Lock()
	defer s.Unlock()
	if s.daemon == c {
		s.daemon = nil
		s.connected = make(chan struct{})
	}
}

func call(ctx context.Context, c *rpc.RPCClientV11, method string, arg []byte) (interface{}, error) {
	read := func(v interface{}) {
		if err := json.Unmarshal(arg, v); err != nil {
			log.Fatalf("%s: %v", method, err) // the test's mistake
		}
	}
	switch method {
	case "Ping":
		return struct{}{}, c.Ping(ctx)
	case "Version":
		return c.Version(ctx)
	case "Export":
		return c.Export(ctx)
	case "ListServices":
		var ns string
		read(&ns)
		return c.ListServices(ctx, ns)
	case "ListServicesWithOptions":
		var opts v11.ListServicesOptions
		read(&opts)
		return c.ListServicesWithOptions(ctx, opts)
	case "ListImages":
		var spec update.ResourceSpec
		read(&spec)
		return c.ListImages(ctx, spec)
	case "ListImagesWithOptions":
		var opts v10.ListImagesOptions
		read(&opts)
		return c.ListImagesWithOptions(ctx, opts)
	case "UpdateManifests":
		var spec update.Spec
		read(&spec)
		return c.UpdateManifests(ctx, spec)
	case "NotifyChange":
		var change v9.Change
		read(&change)
		return struct{}{}, c.NotifyChange(ctx, change)
	case "JobStatus":
		var id job.ID
		read(&id)
		return c.JobStatus(ctx, id)
	case "SyncStatus":
		var ref string
		read(&ref)
		return c.SyncStatus(ctx, ref)
	case "GitRepoConfig":
		var regenerate bool
		read(&regenerate)
		return c.GitRepoConfig(ctx, regenerate)
	}
	return nil, errors.New("no such method")
}

func (s *service) call(w http.ResponseWriter, r *http.Request) {
	out := map[string]interface{}{}
	c, err := s.client()
	if err == nil {
		ctx, cancel := context.WithTimeout(r.Context(), callLimit)
		defer cancel()
		out["result"], err = call(ctx, c, r.FormValue("method"), []byte(r.FormValue("arg")))
	}
	// the client's Export says so where there is none
	if none, ok := err.(*fluxerr.Error); ok && none == nil {
		err = nil
	}
	if err != nil {
		delete(out, "result")
		out["error"] = err.Error()
		var shaped *fluxerr.Error
		var fatal remote.FatalError
		if errors.As(err, &fatal) {
			s.lost(c)
		} else if errors.As(err, &shaped) {
			out["type"], out["help"] = shaped.Type, shaped.Help
			if shaped.Err != nil {
				out["error"] = shaped.Err.Error()
			}
		}
	}
	json.NewEncoder(w).Encode(out)
}

func main() {
	s := &service{connected: make(chan struct{})}
	listen := flag.String("listen", "127.0.0.1:0", "where")
	base := flag.String("base", "", "path before the routes")
	flag.StringVar(&s.token, "token", "", "that the daemon has to send")
	flag.StringVar(&s.dir, "dir", ".", "for the lists of what came")
	flag.BoolVar(&s.gone, "gone", false, "answer 410 to the websocket")
	flag.Parse()
	http.HandleFunc("POST "+*base+"/v6/events", s.events)
	http.HandleFunc("GET "+*base+"/v11/daemon", s.register)
	http.HandleFunc("GET /call", s.call)
	log.Fatal(http.ListenAndServe(*listen, nil))
}
