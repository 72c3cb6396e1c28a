// The pictures of the pages. `apart` moves what belongs together away from each other.

shell_colour = [0.86, 0.84, 0.8];
base_colour = [0.6, 0.63, 0.66];

module on_base(pi_up = 0, perf_up = 0, buck_up = 0) {
  up = base_t + stand;
  translate([pi_at[0], pi_at[1], up + pi_up]) { if (small) zero(); else pi4(); }
  translate([perf_at[0], perf_at[1], up + perf_up]) perf();
  translate([buck_at[0], buck_at[1], base_t + 1 + buck_up]) buck();
}

module in_shell(apart = 0) {
  translate([lens_at[0], lens_at[1], depth - front - lens_behind - apart]) { camera(); if (apart == 0) translate([0, -9, -cam_front - 3]) ribbon(30); }
  translate([pir_at[0], pir_at[1], depth - front + (pir == "am312" ? am312_sunk : 0) - apart]) { if (pir == "am312") am312(); else if (pir == "hcsr501") sr501(); }
}

module from_front(apart = 0) {
  translate([button_at[0], button_at[1], depth + apart]) push_button(button_d);
  color([0.3, 0.5, 0.6, 0.5]) translate([lens_at[0], lens_at[1], depth - window_deep + 0.1 + apart]) cylinder(d = 20, h = 2);
}

module the_hood(apart = 0) color([0.75, 0.73, 0.7]) translate([0, 0, apart]) hood();
module the_screws(apart = 0) for (at = shut_at) translate([at[0], at[1], boss_top + 3 + apart]) screw(3, 12);
module the_cord(up = 0) color("orangered") translate([0, 0, base_t - 1.2 + up]) linear_extrude(1.8) difference() { outline(1.1); outline(wall - 0.2); }
module the_base() color(base_colour) base();
module the_shell() color(shell_colour) shell();
// The shell lying on its face beside the base, seen from inside.
module flat() translate([0, 0, depth]) rotate([0, 180, 0]) children();

module whole() { the_base(); the_shell(); the_hood(); from_front(); in_shell(); the_screws(); }

module upright() rotate([90, 0, 0]) children();

module picture(name) {
  if (name == "front") upright() whole();
  if (name == "back") upright() rotate([0, 180, 0]) whole();
  if (name == "wedge") upright() { color([0.5, 0.5, 0.5]) wedge(); translate([width / 2 * cos(wedge_angle), 0, 4.2]) rotate([0, wedge_angle, 0]) translate([-width / 2, 0, 0]) whole(); }
  if (name == "open") { the_base(); on_base(); translate([width + 14, 0, 0]) flat() { the_shell(); in_shell(); from_front(); } }
  if (name == "exploded") upright() {
    the_base(); the_cord(12); on_base(34, 34, 34);
    translate([0, 0, 165]) { in_shell(85); the_shell(); translate([0, 0, 30]) { from_front(10); the_hood(8); the_screws(26 + depth - boss_top); } }
  }
  if (name == "step1") { the_base(); for (at = hang_at) translate([at[0], at[1], 26]) screw(4, 20); color("black") translate([entry_at[0], entry_at[1], -30]) cylinder(d = 7, h = 50); }
  if (name == "step2") { the_base(); on_base(20, 20, 20); for (at = pi_spots()) translate([at[0], at[1], 52]) screw(2.5, 6); }
  if (name == "step3") flat() { the_shell(); in_shell(18); for (at = cam_spots()) translate([at[0], at[1], depth - 46]) rotate([180, 0, 0]) screw(2, 6); }
  if (name == "step4") upright() { the_shell(); from_front(26); the_hood(18); }
  if (name == "step5") { the_base(); on_base(); translate([width + 14, 0, 0]) flat() { the_shell(); in_shell(); from_front(); } wires(); }
  if (name == "step6") { the_base(); on_base(); the_cord(16); }
  if (name == "step7") upright() { the_base(); on_base(); translate([0, 0, 46]) { the_shell(); in_shell(); from_front(); the_hood(); } the_screws(100); }
}

// A bent wire through points.
module wire(colour, points) color(colour) for (i = [0 : len(points) - 2]) hull() for (j = [i, i + 1]) translate(points[j]) sphere(d = 1.6, $fn = 10);

module wires() {
  top = base_t + stand + 12;
  px = perf_at[0]; py = perf_at[1]; gx = pi_at[0] - (small ? 11.5 : 24.5);
  sx = width + 14;                                     // the shell's middle
  for (i = [0 : 3]) wire(["yellow", "dodgerblue", "violet", "limegreen"][i], [[px + 10, py - 18 + i * 3, top - 4], [px + 14, py - 14 + i * 4, top + 6], [gx, pi_at[1] + 4 + i * 4, top + 2]]);
  wire("red", [[px + 10, py - 30, top], [px + 17, py - 8, top + 10], [gx, pi_at[1] + 24, top + 2]]);
  wire("black", [[px + 10, py - 26, top], [px + 17, py - 2, top + 10], [gx, pi_at[1] + 20, top + 2]]);
  wire("red", [[buck_at[0] + 6, buck_at[1] + 20, 10], [px + 2, py - 45, 22], [px + 8, py - 24, top]]);
  wire("black", [[buck_at[0] - 6, buck_at[1] + 20, 10], [px - 2, py - 45, 22], [px + 8, py - 28, top]]);
  for (i = [0 : 1]) wire(["red", "black"][i], [[entry_at[0], entry_at[1], -20], [entry_at[0] - 2 - i * 3, entry_at[1], 16], [buck_at[0] + 6 - i * 12, buck_at[1] - 19, 10]]);
  for (i = [0 : 1]) wire("white", [[entry_at[0] + 2, entry_at[1] + 2, -20], [entry_at[0] + 3 * i, entry_at[1] + 12, 20], [px - 10, py - 28 + i * 10, top]]);
  for (i = [0 : 3]) wire(["yellow", "black", "red", "limegreen"][i], [[px - 8 + i * 5, py - 30, top], [px + 10 + i * 2, button_at[1] + 18, 56], [sx - 30, button_at[1] + 8, 60], [sx - 4 + 3 * i, button_at[1], 36]]);
  for (i = [0 : 2]) wire(["orange", "dodgerblue", "black"][i], [[px - 8 + i * 5, py - 20, top], [px + 20, pir_at[1] + 4, 56], [sx - 30, pir_at[1] + 2, 60], [sx - 2.5 + i * 2.5, pir_at[1], 20]]);
}
