#!/usr/bin/env -S gjs -m
/**
 * A window of WebKitGTK that a driver drives, for gjs; its data lies in PROFILE_FOLDER. MiniBrowser does the same, but keeps
 * nothing on the disk while it is driven.
 */
import GLib from 'gi://GLib';
import Gtk from 'gi://Gtk?version=3.0';
import WebKit2 from 'gi://WebKit2?version=4.1';

Gtk.init(null);
const folder = GLib.getenv('PROFILE_FOLDER');
const data = new WebKit2.WebsiteDataManager({
  base_data_directory: `${folder}/data`,
  base_cache_directory: `${folder}/cache`,
});
const context = new WebKit2.WebContext({ website_data_manager: data });
context.set_automation_allowed(true);

function openView() {
  const view = new WebKit2.WebView({ web_context: context, is_controlled_by_automation: true });
  const window = new Gtk.Window({ default_width: 1280, default_height: 900 });
  window.add(view);
  window.show_all();
  return view;
}

context.connect('automation-started', (_, session) => session.connect('create-web-view', openView));
GLib.MainLoop.new(null, false).run();
