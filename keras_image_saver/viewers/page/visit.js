/* The address of what is shown: it is in the hash, so that a reload and a link come back to it, and
   "back" leaves one sample, or two snapshots. */

const ADDRESS_MS = 300; // browsers allow 200 changes in 10 s

class Visit {
  constructor(onPlace) {
    this.hash = location.hash;
    this.timer = 0;
    for (const name of ["popstate", "hashchange"]) {
      window.addEventListener(name, () => {
        if (location.hash === this.hash) return;
        clearTimeout(this.timer);
        this.hash = location.hash;
        onPlace(placeIn(location.hash));
      });
    }
  }

  /* Bring a state into the address; another view than before is a place to come back from. */
  show(state, before) {
    clearTimeout(this.timer);
    if (viewKey(state) === viewKey(before) || this.leadsTo(state)) {
      this.timer = setTimeout(() => this.write("replaceState", state), ADDRESS_MS);
    } else {
      this.write("replaceState", before);
      this.write("pushState", state);
    }
  }

  leadsTo(state) {
    return viewKey(state) === viewKey(placeIn(this.hash));
  }

  write(method, state) {
    const hash = hashOf(state);
    if (hash === this.hash) return;
    this.hash = hash;
    try {
      history[method](null, "", hash || location.pathname + location.search);
    } catch {
      // A frame of another page may have no address of its own.
    }
  }
}
