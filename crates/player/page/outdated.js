// For browsers that do not know modules, and so never run the page: written for those of 2009.
(function () {
  var app = document.getElementById('app');
  if (app) {
    while (app.firstChild) app.removeChild(app.firstChild);
    var lines = ['这个浏览器太旧，放不了课程。请升级浏览器，或者换一台设备、换一个浏览器再试。', 'This browser is too old to play lessons. Please update it, or use another browser or device.'];
    for (var i = 0; i < lines.length; i += 1) {
      var line = document.createElement('p');
      line.className = 'plain';
      line.appendChild(document.createTextNode(lines[i]));
      app.appendChild(line);
    }
  }
})();
